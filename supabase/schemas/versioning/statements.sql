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

-- The old values of changed columns, null for the others. nullif() compares by `=`, which for these types tells every two values apart that
-- are written differently; the others (1.0 = 1.00) are compared by their bytes. Where null was changed to a value, null would say
-- "unchanged": then all old values are kept, behind `=`.
create or replace function versioning._old_values(relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = ''
as $$
    with recorded as (
        select
            c.place,
            format('o.%I', c.name) as old,
            format('n.%I', c.name) as new,
            a.attnotnull as not_null,
            t.typtype = 'e'
            or a.atttypid = any (array[
                'smallint', 'integer', 'bigint', 'oid', 'boolean', 'uuid', 'bytea', 'date', 'time', 'timestamp', 'timestamptz', '"char"', 'name'
            ]::regtype[])
            or a.atttypid in ('text'::regtype, 'varchar'::regtype)
            and exists (select from pg_catalog.pg_collation l where l.oid = a.attcollation and l.collisdeterministic) as exact
        from unnest(layout.names[layout.key_count + 1:layout.recorded_count]) with ordinality c (name, place)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = c.name
        join pg_catalog.pg_type t on t.oid = a.atttypid
    ), told as (
        select
            string_agg(format('%s is null and %s is not null', r.old, r.new), ' or ' order by r.place) filter (where not r.not_null)
                as was_null,
            'row(' || coalesce(
                string_agg(
                    format(
                        case
                            when r.exact then 'nullif(%1$s, %2$s)'
                            else 'case when row(%1$s)::record operator(pg_catalog.*<>) row(%2$s)::record then %1$s end'
                        end,
                        r.old,
                        r.new
                    ),
                    ', ' order by r.place
                ),
                ''
            ) || ')::text' as changed
        from recorded r
    )
    select case
        when t.was_null is null then t.changed
        else format('case when %s then ''='' || %s::text else %s end', t.was_null, versioning._row_of(layout, 'o'), t.changed)
    end
    from told t;
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

-- The insert of the versions that an INSERT, UPDATE, DELETE or TRUNCATE makes, or the beginning of tracking (BASELINE). `actor`, `reason` and `restoring` are SQL too: variables or
-- parameters. The keys of old and new rows of an update are matched by a full join, for two reasons: a changed key ends one entity and
-- begins another; and a full join is never planned as a nested loop, which a plan made for one row would otherwise use for a hundred thousand.
create or replace function versioning._statement(
    table_id integer,
    relation regclass,
    layout versioning.layouts,
    event text,
    actor text,
    reason text,
    restoring text
)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    -- The row that tells the key, and, of an update, SQL for "there is an old row", "there is a new one".
    alias text := case event when 'INSERT' then 'n' when 'UPDATE' then null else 'o' end;
    key_name text := format('%I', layout.names[1]);
    key text;
    operation text;
    restores text;
    was_published text := versioning._is_published(table_id, relation, layout, 'o');
    is_published text := versioning._is_published(table_id, relation, layout, 'n');
begin
    key := case
        when alias is not null then versioning._key_text(relation, layout, alias)
        else format(
            'case when n.%1$s is null then %2$s else %3$s end',
            key_name, versioning._key_text(relation, layout, 'o'), versioning._key_text(relation, layout, 'n')
        )
    end;
    restores := format('when %1$s is not null and %1$s = %2$s then ''restore''', restoring, quote_literal(table_id || ':') || ' || ' || key);
    operation := case event
        when 'INSERT' then format('case %s else ''create'' end', restores)
        when 'UPDATE' then format(
            'case when o.%1$s is null then ''create'' when n.%1$s is null then ''delete'' %2$s %3$s else ''update'' end',
            key_name,
            restores,
            case when is_published is not null then format(
                'when %1$s and not %2$s then ''publish'' when %2$s and not %1$s then ''unpublish''', is_published, was_published
            ) end
        )
        else quote_literal(lower(event))
    end;
    return format(
        'insert into versioning.records (transaction, at, table_id, layout_id, operation, key, actor, role, reason, row, before) '
        'select (date_part(''epoch'', now())::bigint - 1577836800) << 22 | (txid_current() & 4194303), clock_timestamp(), %s, %s, '
        '(%s)::versioning.operation, %s, %s, coalesce(nullif(current_setting(''role''), ''none''), session_user), %s, %s, %s from %s',
        table_id,
        layout.id,
        operation,
        key,
        actor,
        reason,
        case
            when alias is not null then versioning._row_of(layout, alias) || '::text'
            else format(
                'case when n.%s is null then %s::text else %s::text end',
                key_name, versioning._row_of(layout, 'o'), versioning._row_of(layout, 'n')
            )
        end,
        case event when 'UPDATE' then versioning._old_values(relation, layout) else 'null' end,
        case event
            when 'INSERT' then 'new_rows n'
            when 'DELETE' then 'old_rows o'
            when 'UPDATE' then format(
                'old_rows o full join new_rows n on %1$s where o.%2$s is null or n.%2$s is null '
                'or %3$s::record operator(pg_catalog.*<>) %4$s::record',
                versioning._same_key(relation), key_name, versioning._row_of(layout, 'o'), versioning._row_of(layout, 'n')
            )
            -- A partitioned table's triggers fire first, its partitions' then: each records its own rows.
            when 'TRUNCATE' then format('only %s o', relation)
            -- What a history that stopped for a while does not know, or knows differently.
            when 'BASELINE' then format(
                '%s o left join lateral ('
                'select r.operation, r.layout_id, r.row from versioning.records r where r.table_id = %s and r.key = %s order by r.id desc limit 1'
                ') l on true where l.row is null or l.operation in (''delete'', ''truncate'') or l.layout_id <> %s or l.row <> %s::text',
                relation, table_id, key, layout.id, versioning._row_of(layout, 'o')
            )
        end
    );
end;
$$;

revoke all on function versioning._statement from public;
comment on function versioning._statement is 'SQL that records what a statement did to a tracked table.';
