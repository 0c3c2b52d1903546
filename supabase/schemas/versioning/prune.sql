-- Removes old versions, as each table's options say: more than `keep_versions` of an entity, and what ended more than `keep_for` ago. The newest version of
-- an entity always stays; so does, of what ended, the version that was in force `keep_for` ago. Answers how many went.
create or replace function versioning.prune(relation regclass default null)
returns bigint
language plpgsql
set search_path = ''
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
        -- What goes of an entity is its oldest versions, so the first that stays is the one after a doomed one. It tells its number from then on; those
        -- after it count from there.
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

revoke all on function versioning.prune from public;
comment on function versioning.prune is 'Removes old versions by the tables'' options; answers how many.';
