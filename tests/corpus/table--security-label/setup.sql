-- not restored: no module that knows the label
create table public.t (a integer, b integer);
create function public.f() returns integer language sql as $$ select 1 $$;
create view public.v as select 1 as a;
insert into pg_seclabel values ('public.t'::regclass, 'pg_class'::regclass, 0, 'guard', 'secret''s');
insert into pg_seclabel values ('public.t'::regclass, 'pg_class'::regclass, 2, 'guard', 'column');
insert into pg_seclabel values ('public.v'::regclass, 'pg_class'::regclass, 0, 'guard', 'view');
insert into pg_seclabel values ('public.f()'::regprocedure, 'pg_proc'::regclass, 0, 'guard', 'function');
insert into pg_seclabel values ('public'::regnamespace, 'pg_namespace'::regclass, 0, 'guard', 'schema');
comment on table public.t is 'both';
