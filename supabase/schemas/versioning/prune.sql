create or replace function versioning.prune(relation regclass default null)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    table_ versioning.tables;
    pruned bigint := 0;
    removed bigint;
begin
    for table_ in
        select t.*
        from versioning.tables t
        where (prune.relation is null or t.id = versioning._require(prune.relation))
            and (t.keep_versions is not null or t.keep_for is not null)
        order by t.id
    loop
        -- Prune removes the oldest versions of an entity. The first one that stays stores its number; later ones count
        -- from there.
        with placed as (
            select
                r.id,
                r.key,
                coalesce(min(r.number) over entity, 1) + row_number() over versions - 1 as number,
                coalesce(count(*) over entity - row_number() over versions >= table_.keep_versions, false)
                    or coalesce(lead(r.at) over versions <= now() - table_.keep_for, false) as doomed
            from versioning.records r
            where r.table_id = table_.id
            window entity as (partition by r.key), versions as (partition by r.key order by r.id)
        ), marked as (
            select p.*, lag(p.doomed) over (partition by p.key order by p.id) as follows_doomed from placed p
        ), gone as (
            delete from versioning.records r using marked m where r.id = m.id and m.doomed returning r.id
        ), renumbered as (
            update versioning.records r set number = m.number from marked m where r.id = m.id and not m.doomed and m.follows_doomed
        )
        select count(*) into removed from gone;
        pruned := pruned + removed;
    end loop;
    return pruned;
end;
$$;

comment on function versioning.prune is
    'Removes old versions as the options of the tables, or of one table, say: those beyond keep_versions of an '
    'entity, and those replaced more than keep_for ago. The newest version of an entity always stays, and so does '
    'the one that was current keep_for ago. Returns the number of versions removed.';
