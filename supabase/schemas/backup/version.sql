create or replace function backup.version()
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select '0.2.0';
$$;

comment on function backup.version is
    'Returns the version of this schema. The function of the same name refuses to work with a schema of another minor version.';
