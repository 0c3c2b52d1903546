create or replace function versioning_private.follow_renames()
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    update versioning.tables t set tracked = false where t.tracked and versioning._relation(t.id) is null;
    update versioning.tables t
    set schema_name = c.relnamespace::regnamespace::name, table_name = c.relname
    from pg_catalog.pg_class c
    where t.tracked
        and c.oid = versioning._relation(t.id)
        and (t.schema_name, t.table_name) is distinct from (c.relnamespace::regnamespace::name, c.relname);
$$;

comment on function versioning_private.follow_renames is
    'Updates the names of tracked tables in versioning.tables. A dropped table is no longer tracked.';

create or replace function versioning.refresh()
returns setof regclass
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    table_ versioning.tables;
    relation regclass;
    layout versioning.layouts;
    changed boolean;
begin
    perform versioning_private.follow_renames();
    for table_ in select t.* from versioning.tables t where t.tracked order by t.id loop
        relation := versioning._relation(table_.id);
        layout := versioning_private.current_layout(table_.id, relation);
        if layout.id is null then
            perform versioning_private.current_statement(table_.id, 'INSERT', relation);
            continue;
        end if;
        changed := versioning_private.define_trigger_function(table_.id, relation, layout);
        if exists (
            select from pg_catalog.pg_partition_tree(relation) p
            where not exists (
                select from pg_catalog.pg_trigger t
                where t.tgrelid = p.relid and t.tgfoid = to_regproc('versioning._record_' || table_.id)
            )
        ) then
            perform versioning_private.attach_triggers(table_.id, relation);
            changed := true;
        end if;
        if versioning_private.detach_triggers(table_.id, relation) then
            changed := true;
        end if;
        if changed then
            return next relation;
        end if;
    end loop;
end;
$$;

comment on function versioning.refresh is
    'Follows changes of tracked tables; call it at the end of a migration. Replaces the trigger functions of altered '
    'tables, creates the triggers of new partitions and drops those of detached ones. Without it, changes of an '
    'altered table are recorded at a higher cost, but statements that name a new partition itself are not. The '
    'nightly job calls it too. Returns the tables that had changed.';
