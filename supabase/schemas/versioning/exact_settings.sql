create or replace function versioning_private.differs_from_exact_settings(relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    with types as (
        select
            case
                -- All settings matter to types that contain others, and to those of extensions.
                when b.typnamespace <> 'pg_catalog'::regnamespace and b.typtype <> 'e' or b.typtype in ('c', 'r', 'm') then 'any'
                when b.typcategory = 'D' then 'time'
                when b.typcategory = 'T' then 'interval'
                when b.typcategory = 'G' or b.oid in ('real'::regtype, 'double precision'::regtype) then 'float'
                when b.oid = 'bytea'::regtype then 'bytea'
            end as kind
        from unnest(layout.names[:layout.recorded_count]) n (name)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = n.name
        join pg_catalog.pg_type t on t.oid = a.atttypid
        -- A domain is written like its base type, an array by its elements.
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

comment on function versioning_private.differs_from_exact_settings is
    'Returns SQL for whether the session''s settings write values of the table in another form than the history has '
    'them; null if no setting matters to its types.';

create or replace function versioning_private.apply_settings(settings text[])
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    select
        set_config('TimeZone', settings[1], true),
        set_config('DateStyle', settings[2], true),
        set_config('IntervalStyle', settings[3], true),
        set_config('extra_float_digits', settings[4], true),
        set_config('bytea_output', settings[5], true);
$$;

comment on function versioning_private.apply_settings is
    'Sets how this transaction writes values, as apply_exact_settings() returned it.';

create or replace function versioning_private.apply_exact_settings()
returns text[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    own text[] := array[
        current_setting('TimeZone'),
        current_setting('DateStyle'),
        current_setting('IntervalStyle'),
        current_setting('extra_float_digits'),
        current_setting('bytea_output')
    ];
begin
    perform versioning_private.apply_settings('{UTC,ISO,postgres,1,hex}');
    return own;
end;
$$;

comment on function versioning_private.apply_exact_settings is
    'Sets how this transaction writes values, so that their text is exact and the same in every session, and returns '
    'the former settings. SET clauses of the trigger function would cost each statement 10 µs, although nearly all '
    'sessions have these settings anyway.';
