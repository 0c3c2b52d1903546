create table public.a (id integer primary key, b integer);
create table public.b (id integer primary key, a integer references public.a);
alter table public.a add foreign key (b) references public.b deferrable initially deferred;
begin; insert into public.a values (1, 1); insert into public.b values (1, 1); commit;
