create or replace function versioning_private.current_statement(table_id integer, event text, relation regclass)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    layout versioning.layouts := versioning_private.current_layout(table_id, versioning._relation(table_id));
begin
    if layout.id is null then
        raise warning 'Changes of table "%" are not recorded: it has no primary key', relation
            using hint = format('Add a primary key, or end its history: select versioning.untrack(%L)', relation);
        return 'select';
    end if;
    if event = 'TRUNCATE' then
        perform versioning_private.require_safe_read(relation, 'truncate', 'Delete the rows instead.');
    end if;
    return versioning_private.recording_statement(table_id, relation, layout, event);
end;
$$;

comment on function versioning_private.current_statement is
    'Returns recording_statement() for the present columns of a table: for a table that was altered after its '
    'trigger function was made, and for TRUNCATE.';

create or replace function versioning_private.trigger_body(table_id integer, relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select format(
        $body$
declare
    -- This statement runs inside another one, or others ran inside it.
    nested boolean;
    first bigint;
    -- The settings of the session, while the exact ones apply.
    own text[];
    -- Usually neither applies, and one test costs less than three.
    special boolean := pg_trigger_depth() > 1 or current_setting('versioning.nested', true) = 'on' or %3$s;
begin
    if special then
        nested := pg_trigger_depth() > 1 or current_setting('versioning.nested', true) = 'on';
        if nested then
            first := nextval('versioning.records_id_seq');
        end if;
        own := versioning_private.apply_exact_settings();
    end if;
    -- Both are evaluated when this expression is planned, and again after the table is altered.
    if not versioning_private.is_current_at_plan_time(%1$s, %2$s)
        or coalesce(tg_relid, versioning_private.relation_at_plan_time(%1$s)) is null
    then
        own := coalesce(own, versioning_private.apply_exact_settings());
        special := true;
        execute versioning_private.current_statement(%1$s, tg_op, tg_relid);
    elsif tg_op = 'UPDATE' then
        %5$s;
        if not found then
            %6$s;
        end if;
    elsif tg_op = 'INSERT' then
        %4$s;
    elsif tg_op = 'DELETE' then
        %7$s;
    else
        execute versioning_private.current_statement(%1$s, tg_op, tg_relid);
    end if;
    if special then
        perform versioning_private.apply_settings(own);
        if nested then
            perform versioning_private.reorder_versions(%1$s, first);
            perform set_config('versioning.nested', 'on', true);
        end if;
    end if;
    return null;
end;
$body$,
        table_id,
        layout.id,
        coalesce(versioning_private.differs_from_exact_settings(relation, layout), 'false'),
        versioning_private.recording_statement(table_id, relation, layout, 'INSERT'),
        versioning_private.recording_statement(table_id, relation, layout, 'UPDATE ONE'),
        versioning_private.recording_statement(table_id, relation, layout, 'UPDATE'),
        versioning_private.recording_statement(table_id, relation, layout, 'DELETE')
    );
$$;

comment on function versioning_private.trigger_body is
    'Returns the body of the trigger function of a table: all that its statements pay for, which is a look at the '
    'session''s settings and an INSERT.';

create or replace function versioning_private.define_trigger_function(table_id integer, relation regclass, layout versioning.layouts)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    name text := '_record_' || table_id;
    body text := versioning_private.trigger_body(table_id, relation, layout);
begin
    if exists (select from pg_catalog.pg_proc p where p.oid = to_regproc('versioning.' || name) and p.prosrc = body) then
        return false;
    end if;
    execute format(
        'create or replace function versioning.%I() returns trigger language plpgsql '
        -- Those who may write to the table must not be able to write its history.
        'security definer '
        'set search_path = pg_catalog, pg_temp as %L',
        name, body
    );
    execute format('revoke all on function versioning.%I from public', name);
    execute format('comment on function versioning.%I is %L', name, 'Records changes of ' || relation || '. Created by versioning.track().');
    return true;
end;
$$;

comment on function versioning_private.define_trigger_function is
    'Creates or replaces the trigger function of a table. Returns false if it is up to date.';

create or replace function versioning_private.attach_triggers(table_id integer, relation regclass)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    member regclass;
    event record;
    began boolean := versioning._relation(table_id) is null;
begin
    for member in
        -- The table itself first: _relation() relies on the age of the triggers.
        select m.relid
        from (select p.relid, p.level from pg_catalog.pg_partition_tree(relation) p union select relation, 0) m
        order by m.level, m.relid
    loop
        for event in
            select *
            from (
                values
                    ('insert', 'after insert', 'referencing new table as new_rows'),
                    ('update', 'after update', 'referencing old table as old_rows new table as new_rows'),
                    ('delete', 'after delete', 'referencing old table as old_rows'),
                    ('truncate', 'before truncate', '')
            ) e (name, moment, rows)
            where not exists (
                select from pg_catalog.pg_trigger t where t.tgrelid = member and t.tgname = 'versioning_' || e.name
            )
        loop
            execute format(
                'create trigger versioning_%s %s on %s %s for each statement execute function versioning._record_%s()',
                event.name, event.moment, member, event.rows, table_id
            );
        end loop;
    end loop;
    return began;
end;
$$;

comment on function versioning_private.attach_triggers is
    'Creates the missing triggers on a table and its partitions, because a statement fires the triggers of the table '
    'that it names. Returns whether the table had none.';

create or replace function versioning_private.detach_triggers(table_id integer, relation regclass)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    stray record;
    found_one boolean := false;
begin
    for stray in
        select t.tgname, t.tgrelid::regclass as relation
        from pg_catalog.pg_trigger t
        where t.tgfoid = to_regproc('versioning._record_' || table_id)
            and t.tgrelid <> detach_triggers.relation
            and t.tgrelid not in (select p.relid from pg_catalog.pg_partition_tree(detach_triggers.relation) p)
    loop
        execute format('drop trigger %I on %s', stray.tgname, stray.relation);
        found_one := true;
    end loop;
    return found_one;
end;
$$;

comment on function versioning_private.detach_triggers is
    'Drops the triggers of partitions that were detached. Returns whether there were any.';
