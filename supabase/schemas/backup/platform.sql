create or replace function backup._platform_has(object text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case when object like '%(%' then to_regprocedure(object) is not null else to_regclass(object) is not null end
        and exists (
            select
            from pg_namespace n
            join pg_roles r on r.oid = n.nspowner
            where n.nspname = split_part(object, '.', 1)
                -- The owner of the schema backup may have created a stand-in.
                and (r.rolsuper or n.nspowner = (select o.nspowner from pg_namespace o where o.nspname = 'backup'))
        );
$$;

comment on function backup._platform_has is
    'Returns whether this database has an object of the platform (pg_cron, pg_net, Storage): a relation, or a '
    'function with its argument types. An object of the same name in a schema that another role created does not '
    'count, because its code would run with our rights.';

create or replace function backup._net_trigger()
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select min(t.tgname) from pg_trigger t where t.tgrelid = to_regclass('net.http_request_queue') and not t.tgisinternal;
$$;

comment on function backup._net_trigger is
    'Returns the name of a trigger on pg_net''s queue, or null. pg_net lets every role create one, and it would '
    'run with the rights of whoever calls the function.';
