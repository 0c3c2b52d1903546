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
        with doomed as (
            select r.id, r.key
            from versioning.records r
            where table_.keep_for is not null
                and r.table_id = table_.id
                and r.at <= now() - table_.keep_for
                and exists (
                    select from versioning.records later
                    where later.table_id = r.table_id and later.key = r.key and later.id > r.id and later.at <= now() - table_.keep_for
                )
            union
            select n.id, n.key
            from (
                select r.id, r.key, row_number() over (partition by r.key order by r.id desc) as rank
                from versioning.records r
                where table_.keep_versions is not null and r.table_id = table_.id
            ) n
            where n.rank > table_.keep_versions
        ), gone as (
            delete from versioning.records r using doomed d where r.id = d.id returning r.key, r.number
        ), counted as (
            select g.key, count(*)::integer + coalesce(min(g.number), 1) as next from gone g group by g.key
        ), renumbered as (
            -- The oldest that stays tells its number; those after it count from there.
            update versioning.records r
            set number = c.next
            from counted c
            where r.id = (
                select min(s.id) from versioning.records s
                where s.table_id = table_.id and s.key = c.key and not exists (select from doomed d where d.id = s.id)
            )
        )
        select count(*) into removed from gone;
        pruned := pruned + removed;
    end loop;
    return pruned;
end;
$$;

revoke all on function versioning.prune from public;
grant execute on function versioning.prune to service_role;
comment on function versioning.prune is 'Removes old versions by the tables'' options; answers how many.';
