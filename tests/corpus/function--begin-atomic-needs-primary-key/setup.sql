create table public.play (id integer primary key, title text);
create function public.titles() returns setof text language sql begin atomic select title from public.play group by id; end;
comment on function public.titles() is 'postponed';
grant execute on function public.titles() to actor;
create view public.of_function as select * from public.titles();
