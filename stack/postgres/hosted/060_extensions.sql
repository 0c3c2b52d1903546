-- The extensions that are there from a project's first day, owned by who was the superuser then.
set local role postgres;
create extension pgcrypto with schema extensions;
create extension "uuid-ossp" with schema extensions;
create extension pg_stat_statements with schema extensions;
reset role;

do $$
declare
    member record;
begin
    for member in
        select p.oid::regprocedure as signature
        from pg_proc p join pg_depend d on d.objid = p.oid and d.classid = 'pg_proc'::regclass and d.deptype = 'e'
        join pg_extension e on e.oid = d.refobjid
        where e.extname in ('pgcrypto', 'uuid-ossp', 'pg_stat_statements')
    loop
        -- By their owner, so that the grants are his.
        execute format('set local role postgres');
        execute format('grant execute on function %s to postgres with grant option', member.signature);
        execute format('grant execute on function %s to dashboard_user', member.signature);
    end loop;
    grant all on extensions.pg_stat_statements, extensions.pg_stat_statements_info to postgres with grant option;
    grant all on extensions.pg_stat_statements, extensions.pg_stat_statements_info to dashboard_user;
end;
$$;

reset role;

create extension pg_cron with schema pg_catalog;
grant usage on schema cron to postgres with grant option;
grant all on all functions in schema cron to postgres with grant option;
grant all on cron.job_run_details to postgres with grant option;
-- Jobs are changed through the functions only.
grant select on cron.job to postgres with grant option;
alter default privileges for role supabase_admin in schema cron grant all on tables to postgres with grant option;
alter default privileges for role supabase_admin in schema cron grant all on functions to postgres with grant option;
alter default privileges for role supabase_admin in schema cron grant all on sequences to postgres with grant option;

create extension pg_net with schema extensions;
grant usage on schema net to supabase_functions_admin, postgres, anon, authenticated, service_role;
