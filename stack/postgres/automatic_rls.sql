-- What a project has whose owner ticked "Enable automatic RLS": row level security is on for each new table of public.
create function public.rls_auto_enable()
returns event_trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    command record;
begin
    for command in
        select * from pg_event_trigger_ddl_commands()
        where object_type in ('table', 'partitioned table') and schema_name = 'public'
    loop
        execute format('alter table if exists %s enable row level security', command.object_identity);
    end loop;
end;
$$;

alter function public.rls_auto_enable owner to postgres;

create event trigger ensure_rls on ddl_command_end
when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO')
execute function public.rls_auto_enable();
