create table public.play (id integer primary key, title text);
create materialized view public.mv as select id, title from public.play group by id;
create function public.f() returns bigint language sql begin atomic select count(*) from public.mv; end;
create view public.v as select public.f();
