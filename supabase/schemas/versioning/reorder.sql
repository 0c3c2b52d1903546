-- A statement's versions are recorded when it ends. When a trigger changes the row again meanwhile, that inner statement ends first, and its
-- version would stand before the one that it followed on. Inner statements leave a mark (`versioning.nested`); an outer one that finds it
-- has the entities put in order that it recorded, those with ids above `first`.
create or replace function versioning._reorder(table_id integer, first bigint)
returns void
language plpgsql
set search_path = ''
as $$
declare
    entity text;
begin
    for entity in
        select distinct r.key
        from versioning.records r
        where r.id > first and r.transaction = versioning.transaction() and r.table_id = _reorder.table_id
    loop
        perform versioning._reorder_entity(table_id, entity);
    end loop;
end;
$$;

revoke all on function versioning._reorder from public;
comment on function versioning._reorder is 'Puts versions in order that a statement recorded after those of statements inside it.';

-- Each version follows on the one that left what it found. Where none fits, the order of ids stands.
create or replace function versioning._reorder_entity(table_id integer, key text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    ids bigint[];
    befores text[];
    afters text[];
    state text;
    next integer;
    moving boolean := false;
begin
    -- An empty text stands for no row: values are in brackets.
    select
        array_agg(r.id order by r.id),
        array_agg(coalesce(versioning._before(r, l)::text, '') order by r.id),
        array_agg(coalesce(versioning._after(r, l)::text, '') order by r.id)
    into ids, befores, afters
    from versioning.records r
    join versioning.layouts l on l.id = r.layout_id
    where r.table_id = _reorder_entity.table_id and r.key = _reorder_entity.key and r.transaction = versioning.transaction();
    select versioning._after(r, l)::text into state
    from versioning.records r
    join versioning.layouts l on l.id = r.layout_id
    where r.table_id = _reorder_entity.table_id and r.key = _reorder_entity.key and r.id < ids[1]
    order by r.id desc
    limit 1;
    state := coalesce(state, '');
    while cardinality(ids) > 0 loop
        next := coalesce(array_position(befores, state), 1);
        state := afters[next];
        -- From the first that moves on, all get new ids: in the order that they are met in.
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

revoke all on function versioning._reorder_entity from public;
comment on function versioning._reorder_entity is 'Puts this transaction''s versions of one entity in order.';
