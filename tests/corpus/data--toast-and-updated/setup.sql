create table public.t (id integer, a text);
alter table public.t alter column a set storage external;
insert into public.t select i, repeat(md5(i::text), 500) from generate_series(1, 20) i;
update public.t set id = id + 100 where id % 2 = 0;
delete from public.t where id % 3 = 0;
