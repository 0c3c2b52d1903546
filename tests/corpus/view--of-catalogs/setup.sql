create view public.v as select relname, nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where relkind = 'r';
create view public.w as select table_name, column_name from information_schema.columns;
create view public.x as select current_user, session_user, current_date, localtime, current_schema, current_setting('work_mem'), now() at time zone 'UTC' as at;
create view public.y as select 'public.v'::regclass as c, 'now'::regproc as p, null as n, 'text' as unknown;
