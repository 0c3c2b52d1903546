create table public.t (a integer, b text);
create view public."View ""x""" as select a as "A", b from public.t;
alter view public."View ""x""" alter column "A" set default 5;
alter view public."View ""x""" alter column b set default 'it''s';
comment on view public."View ""x""" is 'view';
comment on column public."View ""x"""."A" is 'column';
alter view public."View ""x""" owner to director;
grant select on public."View ""x""" to actor;
grant update ("A") on public."View ""x""" to actor;
