create or replace function backup._rebuild_log(backups jsonb)
returns table (name text, outcome text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    stored jsonb;
    run backup.log;
begin
    perform backup._lock_starts();
    -- A restored database has the row of the run that made the backup, still active.
    perform backup._fail_abandoned_run();
    for stored in select b from jsonb_array_elements(backups) b order by b ->> 'name' loop
        name := stored ->> 'name';
        select l.* into run from backup.log l where l.name = stored ->> 'name';
        -- A restored database ends the run that made the backup as abandoned or cancelled; the manifest knows better.
        if run.id is not null and coalesce(run.error_code not in ('abandoned', 'cancelled'), true) then
            if run.status = 'succeeded' and (stored ->> 'manifest_rebuilt')::boolean then
                -- The new manifest has another checksum than the lost one. Its parts were read.
                update backup.log l set checksum = stored ->> 'checksum', warnings = stored -> 'warnings' where l.id = run.id;
                outcome := 'its manifest was made anew from its parts';
                return next;
                continue;
            end if;
            outcome := case
                when run.removed_at is not null then 'left: the log says that it was removed'
                when run.status = 'succeeded' then 'known'
                else format('left: the log says that its run is %s', run.status)
            end;
            return next;
            continue;
        end if;
        outcome := case when run.id is null then 'added' else 'corrected: its run ended early, but the backup is complete' end;
        insert into backup.log as l (
            name, trigger, status, started_at, finished_at, verified_at, server_version, tables, rows, raw_bytes, stored_bytes, parts, checksum, attempt,
            warnings, settings
        )
        values (
            stored ->> 'name',
            stored ->> 'trigger',
            'succeeded',
            to_timestamp(substring(stored ->> 'name' from '[0-9]{8}-[0-9]{6}') || ' +00', 'YYYYMMDD-HH24MISS TZH'),
            (stored ->> 'finished_at')::timestamptz,
            (stored ->> 'finished_at')::timestamptz,
            stored ->> 'server_version',
            (stored ->> 'tables')::bigint,
            (stored ->> 'rows')::bigint,
            (stored ->> 'raw_bytes')::bigint,
            (stored ->> 'stored_bytes')::bigint,
            (stored ->> 'parts')::bigint,
            stored ->> 'checksum',
            (stored ->> 'attempt')::integer,
            stored -> 'warnings' || '[{"code": "rebuilt", "object": "log", "message": "This row was created from the manifest"}]'::jsonb,
            jsonb_build_object('bucket', stored ->> 'bucket')
        )
        on conflict on constraint name_unique do update
        set status = excluded.status,
            phase = null,
            finished_at = excluded.finished_at,
            verified_at = excluded.verified_at,
            server_version = excluded.server_version,
            tables = excluded.tables,
            rows = excluded.rows,
            raw_bytes = excluded.raw_bytes,
            stored_bytes = excluded.stored_bytes,
            parts = excluded.parts,
            checksum = excluded.checksum,
            warnings = excluded.warnings,
            error_code = null,
            error_message = null,
            error_hint = null
        returning l.* into run;
        perform backup._replace_table_counts(run.id, stored -> 'table_rows');
        return next;
    end loop;
end;
$$;

comment on function backup._rebuild_log is
    'Restores rows of the log from the manifests in the bucket and returns what became of each. backups is '
    '[{name, trigger, attempt, finished_at, server_version, tables, rows, raw_bytes, stored_bytes, parts, '
    'checksum, warnings, bucket, table_rows, manifest_rebuilt}]. Only what a manifest proves is changed; a second time nothing is.';
