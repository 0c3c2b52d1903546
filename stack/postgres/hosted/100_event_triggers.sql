-- The platform's event triggers: they grant what people need of an extension that is made, and tell the API of changes.
create function extensions.grant_pg_cron_access()
returns event_trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select from pg_event_trigger_ddl_commands() c join pg_extension e on e.oid = c.objid and e.extname = 'pg_cron'
    ) then
        grant usage on schema cron to postgres with grant option;
        grant all on all functions in schema cron to postgres with grant option;
        revoke all on table cron.job from postgres;
        grant select on table cron.job to postgres with grant option;
    end if;
end;
$$;

create function extensions.grant_pg_net_access()
returns event_trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select from pg_event_trigger_ddl_commands() c join pg_extension e on e.oid = c.objid and e.extname = 'pg_net'
    ) then
        grant usage on schema net to supabase_functions_admin, postgres, anon, authenticated, service_role;
    end if;
end;
$$;

create function extensions.grant_pg_graphql_access()
returns event_trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select from pg_event_trigger_ddl_commands() c join pg_extension e on e.oid = c.objid and e.extname = 'pg_graphql'
    ) then
        grant usage on schema graphql_public to postgres, anon, authenticated, service_role;
    end if;
end;
$$;

create function extensions.set_graphql_placeholder()
returns event_trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    return;
end;
$$;

create function extensions.pgrst_ddl_watch()
returns event_trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    notify pgrst, 'reload schema';
end;
$$;

create function extensions.pgrst_drop_watch()
returns event_trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    notify pgrst, 'reload schema';
end;
$$;

create function graphql_public.graphql(
    "operationName" text default null, query text default null, variables jsonb default null, extensions jsonb default null
)
returns jsonb
language sql
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object('errors', jsonb_build_array(jsonb_build_object('message', 'pg_graphql extension is not enabled.')));
$$;

create event trigger issue_graphql_placeholder on sql_drop
when tag in ('DROP EXTENSION')
execute function extensions.set_graphql_placeholder();
create event trigger issue_pg_cron_access on ddl_command_end
when tag in ('CREATE EXTENSION')
execute function extensions.grant_pg_cron_access();
create event trigger issue_pg_graphql_access on ddl_command_end
when tag in ('CREATE EXTENSION')
execute function extensions.grant_pg_graphql_access();
create event trigger issue_pg_net_access on ddl_command_end
when tag in ('CREATE EXTENSION')
execute function extensions.grant_pg_net_access();
create event trigger pgrst_ddl_watch on ddl_command_end
execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop
execute function extensions.pgrst_drop_watch();
