-- The statements by which a trigger records what a statement did, one for the whole of it. They name the table's columns, so they are
-- made from a layout: once for the trigger function, and anew by it while the table has changed since.

-- How the key of `alias` is written: the text of its one value, or of the row of its values. Equal numerics must have one text.
create or replace function versioning._key_text(relation regclass, layout versioning.layouts, alias text)
returns text
language sql
stable
set search_path = ''
as $$
    select case when layout.key_count = 1 then min(k.value) || '::text' else 'row(' || string_agg(k.value, ', ' order by k.place) || ')::text' end
    from (
        select
            c.place,
            format(case when a.atttypid = 'numeric'::regtype then 'pg_catalog.trim_scale(%I.%I)' else '%I.%I' end, alias, c.name) as value
        from unnest(layout.names[:layout.key_count]) with ordinality c (name, place)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = c.name
    ) k;
$$;

revoke all on function versioning._key_text from public;
grant execute on function versioning._key_text to anon, authenticated, service_role;
comment on function versioning._key_text is 'SQL for the key''s text.';

-- `o` and `n` have the same key, by the operators of the primary key itself.
create or replace function versioning._same_key(relation regclass)
returns text
language sql
stable
set search_path = ''
as $$
    select string_agg(format('o.%1$I operator(%2$I.%3$s) n.%1$I', a.attname, p.oprnamespace::regnamespace::name, p.oprname), ' and ')
    from pg_catalog.pg_index i
    cross join unnest(i.indkey::smallint[], i.indclass::oid[]) k (position, class)
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.position
    join pg_catalog.pg_opclass c on c.oid = k.class
    join pg_catalog.pg_amop m
        on m.amopfamily = c.opcfamily and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype and m.amopstrategy = 3
    join pg_catalog.pg_operator p on p.oid = m.amopopr
    where i.indrelid = relation and i.indisprimary;
$$;

revoke all on function versioning._same_key from public;
comment on function versioning._same_key is 'SQL for the equality of two rows'' keys.';

-- The recorded columns of `alias` without the key.
create or replace function versioning._row_of(layout versioning.layouts, alias text)
returns text
language sql
immutable
set search_path = ''
as $$
    select 'row(' || coalesce(string_agg(format('%I.%I', alias, c.name), ', ' order by c.place), '') || ')'
    from unnest(layout.names[layout.key_count + 1:layout.recorded_count]) with ordinality c (name, place);
$$;

revoke all on function versioning._row_of from public;
comment on function versioning._row_of is 'SQL for the recorded columns of a row.';

-- The old values of changed columns as records store them. For the types named here `=` tells every two values apart that are written
-- differently; values of other types (1.0 = 1.00) are compared as they are written.
create or replace function versioning._old_values(relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = ''
as $$
    select 'array[' || coalesce(
        string_agg(
            format(
                'coalesce(''='' || nullif(%s, %s)%s, case when o.%4$s is not distinct from null and n.%4$s is distinct from null then ''-'' end)',
                case when c.exact then 'o.' || c.name else c.old end,
                case when c.exact then 'n.' || c.name else replace(c.old, 'o.' || c.name, 'n.' || c.name) end,
                case when c.exact then '::text' end,
                c.name
            ),
            ', ' order by c.place
        ),
        ''
    -- One collation for all: the columns may have several.
    ) || ']::text[] collate pg_catalog."C"'
    from (
        select
            n.place,
            quote_ident(n.name) as name,
            t.typtype = 'e'
            or a.atttypid = any (array[
                'smallint', 'integer', 'bigint', 'oid', 'boolean', 'uuid', 'bytea', 'date', 'time', 'timestamp', 'timestamptz', '"char"', 'name'
            ]::regtype[])
            or a.atttypid in ('text'::regtype, 'varchar'::regtype)
            and exists (select from pg_catalog.pg_collation l where l.oid = a.attcollation and l.collisdeterministic) as exact,
            -- A cast to text that somebody made need not tell all of a value; the type's output function does.
            case
                when t.typnamespace <> 'pg_catalog'::regnamespace and exists (
                    select from pg_catalog.pg_cast k
                    where k.castsource = t.oid and k.casttarget = 'text'::regtype and k.castmethod = 'f'
                ) then format('pg_catalog.textin(%s(o.%I))', t.typoutput, n.name)
                -- The cast keeps the column's collation, which may take different texts for equal.
                when exists (select from pg_catalog.pg_collation l where l.oid = a.attcollation and not l.collisdeterministic)
                    then format('(o.%I::text collate pg_catalog."C")', n.name)
                else format('o.%I::text', n.name)
            end as old
        from unnest(layout.names[layout.key_count + 1:layout.recorded_count]) with ordinality n (name, place)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = n.name
        join pg_catalog.pg_type t on t.oid = a.atttypid
    ) c;
$$;

revoke all on function versioning._old_values from public;
comment on function versioning._old_values is 'SQL for the column `before` of an update.';

-- Was it published? SQL for `alias`; null without such a column.
create or replace function versioning._is_published(table_id integer, relation regclass, layout versioning.layouts, alias text)
returns text
language sql
stable
set search_path = ''
as $$
    select format(
        case when a.atttypid = 'boolean'::regtype then 'coalesce(%I.%I, false)' else '(%I.%I is not null)' end, alias, a.attname
    )
    from versioning.tables t
    join pg_catalog.pg_attribute a
        on a.attrelid = relation and a.attname = layout.names[array_position(layout.numbers, t.published)]
    where t.id = table_id;
$$;

revoke all on function versioning._is_published from public;
comment on function versioning._is_published is 'SQL for whether a row is published.';

-- The insert of the versions that an INSERT, UPDATE, DELETE or TRUNCATE makes, or the beginning of tracking (BASELINE). The keys of old and new
-- rows of an update are matched by a full join, for two reasons: a changed key ends one entity and begins another; and a full join is never planned
-- as a nested loop, which a plan made for one row would otherwise use for a hundred thousand. `UPDATE ONE` is for one row that keeps its key and is short,
-- as most updates have it; of any other it records nothing. It stores all of the old row, which is more than its changed columns, and a tenth less work to
-- find. An update that changed nothing is left out.
create or replace function versioning._statement(table_id integer, relation regclass, layout versioning.layouts, event text)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    -- One row of the transition tables tells what was there; for an update both may.
    alias text := case when event in ('INSERT', 'UPDATE ONE') then 'n' else 'o' end;
    first_key text := format('%I', layout.names[1]);
    key text := versioning._key_text(relation, layout, alias);
    row_text text := versioning._row_of(layout, alias) || '::text';
    -- Typed, so that no text is read as an operation for every row.
    constant text := format(
        '%L::versioning.operation', case event when 'INSERT' then 'create' when 'UPDATE ONE' then 'update' else lower(event) end
    );
    operation text;
    restored text;
    before text;
    was_published text := versioning._is_published(table_id, relation, layout, 'o');
    is_published text := versioning._is_published(table_id, relation, layout, 'n');
    changed_to text := case when is_published is not null then format(
        'when %1$s and not %2$s then ''publish'' when %2$s and not %1$s then ''unpublish''', is_published, was_published
    ) end;
begin
    if event = 'UPDATE' then
        key := format('case when n.%s is null then %s else %s end', first_key, key, versioning._key_text(relation, layout, 'n'));
        row_text := format('case when n.%s is null then %s else %s::text end', first_key, row_text, versioning._row_of(layout, 'n'));
    end if;
    before := case event
        when 'UPDATE' then versioning._old_values(relation, layout)
        when 'UPDATE ONE' then versioning._row_of(layout, 'o') || '::text'
        else 'null::text[]'
    end;
    restored := format('when current_setting(''versioning.restoring'', true) = %L || %s then ''restore''', table_id || ':', key);
    operation := case event
        when 'INSERT' then format('case %s else %s end', restored, constant)
        when 'UPDATE' then format(
            'case when o.%1$s is null then ''create'' when n.%1$s is null then ''delete'' %2$s %3$s else %4$s end',
            first_key,
            restored,
            changed_to,
            constant
        )
        when 'UPDATE ONE' then format('case %s %s else %s end', restored, changed_to, constant)
        else constant
    end;
    return format(
        'insert into versioning.records (transaction, table_id, layout_id, operation, key, actor, role, reason, row, before) '
        'select (date_part(''epoch'', now())::bigint - 1577836800) << 22 | (txid_current() & 4194303), %s, %s, s.operation, s.key, '
        -- As auth.uid() has it, but any text: not every issuer of tokens writes uuids.
        'coalesce(nullif(current_setting(''request.jwt.claim.sub'', true), ''''), '
        'nullif(current_setting(''request.jwt.claims'', true), '''')::json ->> ''sub''), '
        'coalesce(nullif(current_setting(''role''), ''none''), session_user), '
        'coalesce(nullif(current_setting(''versioning.reason'', true), ''''), '
        'nullif(current_setting(''request.headers'', true), '''')::json ->> ''x-reason''), s.row, %s '
        'from (select %s as operation, %s as key, %s as row, %s as before from %s) s%s',
        table_id,
        layout.id,
        case event when 'UPDATE ONE' then 'array[s.before]' else 's.before' end,
        operation,
        key,
        row_text,
        before,
        case event
            when 'INSERT' then 'new_rows n'
            when 'DELETE' then 'old_rows o'
            -- Without offset the old values would be computed twice.
            when 'UPDATE' then format('old_rows o full join new_rows n on %s offset 0', versioning._same_key(relation))
            -- `is true` leaves the planner a nested loop only, which begins soonest.
            when 'UPDATE ONE' then format(
                'old_rows o, new_rows n where not exists (select from new_rows offset 1) and (%s) is true offset 0', versioning._same_key(relation)
            )
            -- A partitioned table's triggers fire first, its partitions' then: each records its own rows.
            when 'TRUNCATE' then format('only %s o', relation)
            -- What a history that stopped for a while does not know, or knows differently.
            when 'BASELINE' then format(
                '%s o left join lateral ('
                'select r.operation, r.layout_id, r.row from versioning.records r where r.table_id = %s and r.key = %s order by r.id desc limit 1'
                ') l on true where l.row is null or l.operation in (''delete'', ''truncate'') or l.layout_id <> %s or l.row <> %s',
                relation, table_id, key, layout.id, row_text
            )
        end,
        case event
            when 'UPDATE' then format(
                ' where s.before <> %L::text[] or s.operation in (''create'', ''delete'')',
                array_fill(null::text, array[layout.recorded_count - layout.key_count])
            )
            -- Longer ones the server compresses, or stores apart.
            when 'UPDATE ONE' then ' where s.before <> s.row and octet_length(s.before) < 2000'
        end
    );
end;
$$;

revoke all on function versioning._statement from public;
comment on function versioning._statement is 'SQL that records what a statement did to a tracked table.';

-- Does this session write values otherwise than the history? SQL, null where the types of the table leave no choice. Types that contain others, and those
-- of extensions, are asked about all settings.
create or replace function versioning._writes_otherwise(relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = ''
as $$
    with types as (
        select
            case
                when b.typnamespace <> 'pg_catalog'::regnamespace and b.typtype <> 'e' or b.typtype in ('c', 'r', 'm') then 'any'
                when b.typcategory = 'D' then 'time'
                when b.typcategory = 'T' then 'interval'
                when b.typcategory = 'G' or b.oid in ('real'::regtype, 'double precision'::regtype) then 'float'
                when b.oid = 'bytea'::regtype then 'bytea'
            end as kind
        from unnest(layout.names[:layout.recorded_count]) n (name)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = n.name
        join pg_catalog.pg_type t on t.oid = a.atttypid
        -- A domain is stored as its base; of an array the elements count.
        left join pg_catalog.pg_type d on d.oid = t.typbasetype
        join pg_catalog.pg_type e on e.oid = coalesce(d.oid, t.oid)
        join pg_catalog.pg_type b on b.oid = case when e.typcategory = 'A' and e.typelem <> 0 then e.typelem else e.oid end
    )
    select string_agg(s.condition, ' or ' order by s.place)
    from (
        values
            (1, 'current_setting(''TimeZone'') <> ''UTC''', 'time'),
            (2, 'not starts_with(current_setting(''DateStyle''), ''ISO'')', 'time'),
            (3, 'current_setting(''IntervalStyle'') <> ''postgres''', 'interval'),
            (4, 'current_setting(''extra_float_digits'')::integer < 1', 'float'),
            (5, 'current_setting(''bytea_output'') <> ''hex''', 'bytea')
    ) s (place, condition, kind)
    where exists (select from types t where t.kind in (s.kind, 'any'));
$$;

revoke all on function versioning._writes_otherwise from public;
comment on function versioning._writes_otherwise is 'SQL for whether the session writes values otherwise than the history.';

create or replace function versioning._write_as(settings text[])
returns void
language sql
set search_path = ''
as $$
    select
        set_config('TimeZone', settings[1], true), set_config('DateStyle', settings[2], true), set_config('IntervalStyle', settings[3], true),
        set_config('extra_float_digits', settings[4], true), set_config('bytea_output', settings[5], true);
$$;

revoke all on function versioning._write_as from public;
comment on function versioning._write_as is 'Makes the transaction write values by these settings.';

-- With these settings a value's text is exact, and the same in every session. Answers those that were, for _write_as(). Clauses `set` of the trigger
-- function would do as well, and cost every statement some 10 µs, although nearly all sessions have these settings anyway.
create or replace function versioning._write_exactly()
returns text[]
language plpgsql
set search_path = ''
as $$
declare
    own text[] := array[
        current_setting('TimeZone'), current_setting('DateStyle'), current_setting('IntervalStyle'), current_setting('extra_float_digits'),
        current_setting('bytea_output')
    ];
begin
    perform versioning._write_as('{UTC,ISO,postgres,1,hex}');
    return own;
end;
$$;

revoke all on function versioning._write_exactly from public;
comment on function versioning._write_exactly is 'Makes the transaction write values exactly; answers the settings that were.';
