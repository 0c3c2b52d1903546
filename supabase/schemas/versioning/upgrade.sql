do $$
declare
    keyless text;
    stale regprocedure;
begin
    -- Replaces the trigger functions that an earlier version of this schema made.
    perform versioning.refresh();
    -- refresh() leaves out tables without primary key. Theirs wait for one.
    for keyless in
        select p.oid::regprocedure
        from versioning.tables t
        join pg_catalog.pg_proc p on p.oid = to_regproc('versioning._record_' || t.id)
        where (versioning._shape(t.id, versioning._relation(t.id))).key_count = 0
    loop
        execute format(
            'create or replace function %1$s returns trigger language plpgsql security definer '
            'set search_path = pg_catalog, pg_temp as %2$L',
            keyless,
            format(
                'declare own text[] := versioning_private.apply_exact_settings(); begin '
                'execute versioning_private.current_statement(%s, tg_op, tg_relid); '
                'perform versioning_private.apply_settings(own); return null; end',
                substring(keyless from '[0-9]+')
            )
        );
    end loop;
    -- Drops functions of an earlier version: private ones that grants.sql does not name.
    for stale in
        select p.oid
        from pg_catalog.pg_proc p
        where p.pronamespace = 'versioning'::regnamespace and p.proname ~ '^_' and p.proname !~ '^_record_[0-9]+$'
            and not has_function_privilege('service_role', p.oid, 'execute')
    loop
        execute format('drop function %s', stale);
    end loop;
end;
$$;
