create or replace function versioning_private.same_key(relation regclass)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select string_agg(
        case
            when k.operator is not null then format('o.%1$I %2$s n.%1$I', k.name, k.operator)
            else versioning._text_of(k.type, format('o.%I', k.name)) || ' operator(pg_catalog.=) '
                || versioning._text_of(k.type, format('n.%I', k.name))
        end,
        ' and ' order by k.place
    )
    from versioning._key_columns k
    where k.relation = same_key.relation;
$$;

comment on function versioning_private.same_key is 'Returns SQL for whether the rows `o` and `n` have the same key.';

create or replace function versioning_private.row_text(layout versioning.layouts, alias text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select 'pg_catalog.textin(pg_catalog.record_out(row('
        || coalesce(string_agg(format('%I.%I', alias, c.name), ', ' order by c.place), '') || ')))'
    from unnest(layout.names[layout.key_count + 1:layout.recorded_count]) with ordinality c (name, place);
$$;

comment on function versioning_private.row_text is
    'Returns SQL for the text of the recorded columns of `alias` without the key.';

create or replace function versioning_private.old_values(relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select 'array[' || coalesce(
        string_agg(
            format(
                'coalesce(''='' || %s, case when o.%2$I is not distinct from null and n.%2$I is distinct from null then ''-'' end)',
                case
                    when c.is_enum then format(
                        'case when pg_catalog.enum_eq(o.%1$I, n.%1$I) then null else pg_catalog.textin(pg_catalog.enum_out(o.%1$I)) end', c.name
                    )
                    when c.is_exact then format('nullif(o.%1$I, n.%1$I)::pg_catalog.text', c.name)
                    else format('nullif(%s, %s)', c.old, c.new)
                end,
                c.name
            ),
            ', ' order by c.place
        ),
        ''
    -- The columns may have several collations.
    ) || ']::pg_catalog.text[] collate pg_catalog."C"'
    from (
        select
            n.place,
            n.name,
            versioning._text_of(a.atttypid, format('o.%I', n.name)) as old,
            versioning._text_of(a.atttypid, format('n.%I', n.name)) as new,
            t.typtype = 'e' as is_enum,
            -- For these types, values that `=` considers equal have the same text. Others, such as the numerics 1.0 and
            -- 1.00, are compared by their text.
            a.atttypid = any (array[
                'smallint', 'integer', 'bigint', 'oid', 'boolean', 'uuid', 'bytea', 'date', 'time', 'timestamp',
                'timestamptz', '"char"', 'name'
            ]::regtype[])
            or a.atttypid in ('text'::regtype, 'varchar'::regtype) and l.collisdeterministic as is_exact
        from unnest(layout.names[layout.key_count + 1:layout.recorded_count]) with ordinality n (name, place)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = n.name
        join pg_catalog.pg_type t on t.oid = a.atttypid
        left join pg_catalog.pg_collation l on l.oid = a.attcollation
    ) c;
$$;

comment on function versioning_private.old_values is
    'Returns SQL for the old values of the columns that an update changed, as records store them in `before`.';

create or replace function versioning_private.is_published(table_id integer, relation regclass, layout versioning.layouts, alias text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select format(
        case when a.atttypid = 'boolean'::regtype then 'coalesce(%I.%I, false)' else '(%I.%I is not null)' end, alias, a.attname
    )
    from versioning.tables t
    join pg_catalog.pg_attribute a
        on a.attrelid = relation and a.attname = layout.names[array_position(layout.numbers, t.published)]
    where t.id = table_id;
$$;

comment on function versioning_private.is_published is
    'Returns SQL for whether the row `alias` is published; null if no column shows it.';

create or replace function versioning_private.recording_statement(
    table_id integer,
    relation regclass,
    layout versioning.layouts,
    event text
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- The transition table that has the row; an update may need both.
    alias text := case when event in ('INSERT', 'UPDATE ONE') then 'n' else 'o' end;
    first_key text := format('%I', layout.names[1]);
    key text := versioning._key_text(relation, layout, alias);
    row_text text := versioning_private.row_text(layout, alias);
    -- Typed, so that the text is not converted again for every row.
    constant text := format(
        '%L::versioning.operation', case event when 'INSERT' then 'create' when 'UPDATE ONE' then 'update' else lower(event) end
    );
    operation text;
    restored text;
    before text;
    was_published text := versioning_private.is_published(table_id, relation, layout, 'o');
    is_published text := versioning_private.is_published(table_id, relation, layout, 'n');
    changed_to text := case when is_published is not null then format(
        'when %1$s and not %2$s then ''publish'' when %2$s and not %1$s then ''unpublish''', is_published, was_published
    ) end;
begin
    if event = 'UPDATE' then
        key := format(
            'case when n.%s is not distinct from null then %s else %s end',
            first_key, key, versioning._key_text(relation, layout, 'n')
        );
        row_text := format(
            'case when n.%s is not distinct from null then %s else %s end',
            first_key, row_text, versioning_private.row_text(layout, 'n')
        );
    end if;
    before := case event
        when 'UPDATE' then versioning_private.old_values(relation, layout)
        when 'UPDATE ONE' then versioning_private.row_text(layout, 'o')
        else 'null::pg_catalog.text[]'
    end;
    restored := format('when current_setting(''versioning.restoring'', true) = %L || %s then ''restore''', table_id || ':', key);
    operation := case event
        when 'INSERT' then format('case %s else %s end', restored, constant)
        when 'UPDATE' then format(
            'case when o.%1$s is not distinct from null then ''create'' '
            'when n.%1$s is not distinct from null then ''delete'' %2$s %3$s else %4$s end',
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
        -- Like auth.uid(), but any text: not every issuer of tokens uses uuids.
        'coalesce(nullif(current_setting(''request.jwt.claim.sub'', true), ''''), '
        'nullif(current_setting(''request.jwt.claims'', true), '''')::pg_catalog.json ->> ''sub''), '
        'coalesce(nullif(current_setting(''role''), ''none''), session_user), '
        'coalesce(nullif(current_setting(''versioning.reason'', true), ''''), '
        'nullif(current_setting(''request.headers'', true), '''')::pg_catalog.json ->> ''x-reason''), s.row, %s '
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
            -- A full join, because a changed key ends one entity and begins another, and because it is never planned as
            -- a nested loop, which a plan made for one row would otherwise use for a hundred thousand rows. Without
            -- `offset` the old values would be computed twice.
            when 'UPDATE' then format('old_rows o full join new_rows n on %s offset 0', versioning_private.same_key(relation))
            -- `is true` leaves only a nested loop to the planner, which starts fastest.
            when 'UPDATE ONE' then format(
                'old_rows o, new_rows n where not exists (select from new_rows offset 1) and (%s) is true offset 0',
                versioning_private.same_key(relation)
            )
            -- The triggers of a partitioned table fire first, then those of its partitions: each records its own rows.
            when 'TRUNCATE' then format('only %s o', relation)
            -- A history that stopped for a while does not know these rows, or knows other values.
            when 'BASELINE' then format(
                '%s o left join lateral ('
                'select r.operation, r.layout_id, r.row from versioning.records r where r.table_id = %s and r.key = %s order by r.id desc limit 1'
                ') l on true where l.row is null or l.operation in (''delete'', ''truncate'') or l.layout_id <> %s or l.row <> %s',
                relation, table_id, key, layout.id, row_text
            )
        end,
        case event
            when 'UPDATE' then format(
                ' where s.before <> %L::pg_catalog.text[] or s.operation in (''create'', ''delete'')',
                array_fill(null::text, array[layout.recorded_count - layout.key_count])
            )
            -- The server would compress longer rows or store them separately.
            when 'UPDATE ONE' then ' where s.before <> s.row and octet_length(s.before) < 2000'
        end
    );
end;
$$;

comment on function versioning_private.recording_statement is
    'Returns the INSERT that records what an INSERT, UPDATE, DELETE or TRUNCATE did, or the rows at the beginning of '
    'tracking (BASELINE). UPDATE ONE is for the usual case, one short row that keeps its key; for any other update '
    'it records nothing. It stores the whole old row, which takes more space than the changed columns and a tenth '
    'less time. An update that changes nothing is not recorded.';
