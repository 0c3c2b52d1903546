-- The trigger function of a table, and its triggers.

-- The SQL of what a statement did, for a table that has changed since its trigger function was made, and for TRUNCATE.
create or replace function versioning._statement_now(table_id integer, event text, relation regclass)
returns text
language plpgsql
set search_path = ''
as $$
declare
    layout versioning.layouts := versioning._current_layout(table_id, versioning._relation(table_id));
begin
    if layout.id is null then
        raise warning 'changes of table % are not recorded: it has no primary key', relation
            using hint = format('Give it one, or end its history: select versioning.untrack(%L)', relation);
        return 'select';
    end if;
    return versioning._statement(table_id, relation, layout, event);
end;
$$;

revoke all on function versioning._statement_now from public;
comment on function versioning._statement_now is 'SQL that records what a statement did, by the table''s present columns.';

-- The body of a table's trigger function. Everything that a statement pays for stands here: a look at the session's settings, and an insert.
create or replace function versioning._body(table_id integer, relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = ''
as $$
    select format(
        $body$
declare
    -- Is this a statement inside another, or one that others were inside of?
    nested boolean;
    first bigint;
    -- The session's settings, while others are in force.
    own text[];
    -- Mostly nothing of all that, and one question costs less than three.
    special boolean := pg_trigger_depth() > 1 or current_setting('versioning.nested', true) = 'on' or %3$s;
begin
    if special then
        nested := pg_trigger_depth() > 1 or current_setting('versioning.nested', true) = 'on';
        if nested then
            first := nextval('versioning.records_id_seq');
        end if;
        own := versioning._write_exactly();
    end if;
    -- Both are answered when this expression is planned, and again after the table was altered.
    if not versioning._current_when_planned(%1$s, %2$s)
        or coalesce(tg_relid, versioning._relation_when_planned(%1$s)) is null
    then
        own := coalesce(own, versioning._write_exactly());
        special := true;
        execute versioning._statement_now(%1$s, tg_op, tg_relid);
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
        execute versioning._statement_now(%1$s, tg_op, tg_relid);
    end if;
    if special then
        perform versioning._write_as(own);
        if nested then
            perform versioning._reorder(%1$s, first);
            perform set_config('versioning.nested', 'on', true);
        end if;
    end if;
    return null;
end;
$body$,
        table_id,
        layout.id,
        coalesce(versioning._writes_otherwise(relation, layout), 'false'),
        versioning._statement(table_id, relation, layout, 'INSERT'),
        versioning._statement(table_id, relation, layout, 'UPDATE ONE'),
        versioning._statement(table_id, relation, layout, 'UPDATE'),
        versioning._statement(table_id, relation, layout, 'DELETE')
    );
$$;

revoke all on function versioning._body from public;
comment on function versioning._body is 'The body of a table''s trigger function.';

-- Makes the trigger function of a table, or makes it anew when its body would be another: true then.
create or replace function versioning._define(table_id integer, relation regclass, layout versioning.layouts)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    name text := '_record_' || table_id;
    body text := versioning._body(table_id, relation, layout);
begin
    if exists (select from pg_catalog.pg_proc p where p.oid = to_regproc('versioning.' || name) and p.prosrc = body) then
        return false;
    end if;
    execute format(
        'create or replace function versioning.%I() returns trigger language plpgsql '
        -- Who writes a table must not write its history.
        'security definer '
        'set search_path = '''' as %L',
        name, body
    );
    execute format('revoke all on function versioning.%I from public', name);
    execute format('comment on function versioning.%I is %L', name, 'Records changes of ' || relation || '; made by versioning.track().');
    return true;
end;
$$;

revoke all on function versioning._define from public;
comment on function versioning._define is 'Makes the trigger function of a table; false when it is as it should be.';

-- The four triggers on a table and, of a partitioned one, on every partition: a statement fires those of the table that it names.
-- True when the table had none.
create or replace function versioning._attach(table_id integer, relation regclass)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    member regclass;
    event record;
    began boolean := versioning._relation(table_id) is null;
begin
    for member in
        -- The table itself first: _relation() goes by the age of triggers.
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

revoke all on function versioning._attach from public;
comment on function versioning._attach is 'Puts the triggers on a table and its partitions; true when it had none.';

-- A partition that was detached takes its triggers along. False when there is none.
create or replace function versioning._detach(table_id integer, relation regclass)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    stray record;
    found_one boolean := false;
begin
    for stray in
        select t.tgname, t.tgrelid::regclass as relation
        from pg_catalog.pg_trigger t
        where t.tgfoid = to_regproc('versioning._record_' || table_id)
            and t.tgrelid <> _detach.relation
            and t.tgrelid not in (select p.relid from pg_catalog.pg_partition_tree(_detach.relation) p)
    loop
        execute format('drop trigger %I on %s', stray.tgname, stray.relation);
        found_one := true;
    end loop;
    return found_one;
end;
$$;

revoke all on function versioning._detach from public;
comment on function versioning._detach is 'Takes the triggers off tables that are no partitions any more.';
