do $$
declare
    taken name := (
        select n.nspname
        from pg_catalog.pg_namespace n
        join pg_catalog.pg_roles r on r.oid = n.nspowner
        where n.nspname in ('versioning', 'versioning_private') and r.rolname <> current_user and not r.rolsuper
        limit 1
    );
begin
    -- The owner of a schema can replace everything in it.
    if taken is not null then
        raise exception 'Cannot install versioning: schema "%" belongs to another role', taken
            using errcode = 'duplicate_schema', hint = 'Rename that schema, or install as its owner.';
    end if;
    if to_regnamespace('versioning') is not null and to_regclass('versioning.records') is null
        and exists (select from pg_catalog.pg_class where relnamespace = to_regnamespace('versioning'))
    then
        raise exception 'Cannot create schema "versioning": it exists and holds other tables'
            using errcode = 'duplicate_schema',
                hint = 'Rename it first: alter schema versioning rename to another_name';
    end if;
end;
$$;

create schema if not exists versioning;

comment on schema versioning is
    'Row histories: track a table, then read, compare and restore the versions of its rows. An entity is a row over '
    'time, identified by table and primary key; a version is the result of one change.';

create schema if not exists versioning_private;

comment on schema versioning_private is
    'How versioning records changes. No role of the API may use this schema; it belongs with the schema versioning.';

do $$
begin
    if to_regtype('versioning.operation') is null then
        create type versioning.operation as enum (
            'baseline', 'create', 'update', 'publish', 'unpublish', 'delete', 'restore', 'truncate'
        );
    end if;
end;
$$;

comment on type versioning.operation is
    'What a change was. A baseline is a row that existed when tracking began; all others are changes that were seen.';

create or replace function versioning.transaction()
returns bigint
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    -- Seconds since 2020, then 22 bits of the transaction id. Ids alone begin again in another cluster, where a
    -- restored history would then mix with new changes. Fits a JavaScript number (53 bits) until 2088.
    select (date_part('epoch', now())::bigint - 1577836800) << 22 | (txid_current() & 4194303);
$$;

comment on function versioning.transaction is
    'Returns the number under which the versions of this transaction are recorded. versioning.undo() takes it.';

create or replace function versioning.because(reason text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    select set_config('versioning.reason', coalesce(reason, ''), true);
$$;

comment on function versioning.because is
    'Sets the reason that the versions of this transaction record. Over the API, send the header x-reason instead. '
    'Example: select versioning.because(''typing error on the poster'')';
