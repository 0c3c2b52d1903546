create or replace function versioning_private.reorder_versions(table_id integer, first bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    entity text;
begin
    for entity in
        select distinct r.key
        from versioning.records r
        where r.id > first and r.transaction = versioning.transaction() and r.table_id = reorder_versions.table_id
    loop
        perform versioning_private.reorder_entity(table_id, entity);
    end loop;
end;
$$;

comment on function versioning_private.reorder_versions is
    'Reorders the versions of entities that a statement recorded with ids above `first`. A statement''s versions are '
    'recorded when it ends. If a trigger changes a row again meanwhile, the inner statement ends first, and its '
    'version would come before the one that it followed. Inner statements set versioning.nested; the outer one then '
    'calls this.';

create or replace function versioning_private.reorder_entity(table_id integer, key text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    ids bigint[];
    befores text[];
    afters text[];
    state text;
    next integer;
    moving boolean := false;
begin
    -- Empty text means no row: the text of values is in brackets.
    select
        array_agg(r.id order by r.id),
        array_agg(coalesce(versioning._before(r, l)::text, '') order by r.id),
        array_agg(coalesce(versioning._after(r, l)::text, '') order by r.id)
    into ids, befores, afters
    from versioning.records r
    join versioning.layouts l on l.id = r.layout_id
    where r.table_id = reorder_entity.table_id and r.key = reorder_entity.key and r.transaction = versioning.transaction();
    select versioning._after(r, l)::text into state
    from versioning.records r
    join versioning.layouts l on l.id = r.layout_id
    where r.table_id = reorder_entity.table_id and r.key = reorder_entity.key and r.id < ids[1]
    order by r.id desc
    limit 1;
    state := coalesce(state, '');
    while cardinality(ids) > 0 loop
        next := coalesce(array_position(befores, state), 1);
        state := afters[next];
        -- After the first version that moves, all get new ids in the order in which they are found.
        moving := moving or next > 1;
        if moving then
            update versioning.records r set id = nextval('versioning.records_id_seq') where r.id = ids[next];
        end if;
        ids := ids[:next - 1] || ids[next + 1:];
        befores := befores[:next - 1] || befores[next + 1:];
        afters := afters[:next - 1] || afters[next + 1:];
    end loop;
end;
$$;

comment on function versioning_private.reorder_entity is
    'Reorders this transaction''s versions of one entity: each follows the one that left what it found. Where none '
    'fits, the order of ids remains.';
