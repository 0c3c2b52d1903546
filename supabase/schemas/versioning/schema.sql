-- The schema `versioning`: every tracked row has a history that a person can read, compare and put back.
-- An entity is a row through time, found by table and primary key; a version is what one change made of it.
-- Everything may be run twice; but a schema of this name that is somebody else's is not ours to fill.
do $$
begin
    if to_regnamespace('versioning') is not null and to_regclass('versioning.records') is null
        and exists (select from pg_class where relnamespace = to_regnamespace('versioning'))
    then
        raise exception 'there is a schema "versioning" already, with other tables in it'
            using errcode = 'duplicate_schema', hint = 'Rename it first: alter schema versioning rename to another_name';
    end if;
end;
$$;

create schema if not exists versioning;

comment on schema versioning is
    'Histories of rows: track a table, then read, compare and restore versions of its rows one by one.';

-- Everybody may ask; the rows that a role gets to see are decided by row level security, beside each table.
grant usage on schema versioning to anon, authenticated, service_role;

-- What a change was. `baseline` is a row found when tracking began; all others are changes that were seen.
do $$
begin
    if to_regtype('versioning.operation') is null then
        create type versioning.operation as enum (
            'baseline', 'create', 'update', 'publish', 'unpublish', 'delete', 'restore', 'truncate'
        );
    end if;
end;
$$;

comment on type versioning.operation is 'What a change was.';

-- The number of the transaction under way: the second in which it began (since 2020), then 22 bits of its transaction id. Ids alone count anew in
-- another cluster, where a restored history would then mix with what happens there. Fits a number of JavaScript (53 bits) until 2088.
create or replace function versioning.transaction()
returns bigint
language sql
stable
set search_path = ''
as $$
    select (date_part('epoch', now())::bigint - 1577836800) << 22 | (txid_current() & 4194303);
$$;

revoke all on function versioning.transaction from public;
grant execute on function versioning.transaction to anon, authenticated, service_role;
comment on function versioning.transaction is 'The number under which this transaction''s versions are recorded; versioning.undo() takes it.';

-- Why the changes of this transaction are made, for their versions. Over the API the header `x-reason` says the same.
-- Example: select versioning.because('typing error on the poster');
create or replace function versioning.because(reason text)
returns void
language sql
set search_path = ''
as $$
    select set_config('versioning.reason', coalesce(reason, ''), true);
$$;

revoke all on function versioning.because from public;
grant execute on function versioning.because to anon, authenticated, service_role;
comment on function versioning.because is 'Gives the versions of this transaction a reason.';
