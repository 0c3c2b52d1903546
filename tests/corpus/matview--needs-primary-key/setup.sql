create table public.play (id integer primary key, title text);
create materialized view public.stored as select id, title from public.play group by id;
create index on public.stored (title);
create view public.over_it as select * from public.stored;
comment on materialized view public.stored is 'postponed';
grant select on public.stored to actor;
