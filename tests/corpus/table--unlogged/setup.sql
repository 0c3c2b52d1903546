create unlogged table public.t (a integer primary key);
insert into public.t values (1);
create unlogged table public.u (a serial);
