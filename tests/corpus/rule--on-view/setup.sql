create table public.t (a integer);
create view public.v as select a from public.t;
create rule insert_into as on insert to public.v do instead insert into public.t values (new.a) returning a;
create rule notify_it as on update to public.v do instead notify changed;
comment on rule insert_into on public.v is 'through';
