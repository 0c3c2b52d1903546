SET local check_function_bodies = off;

DROP FUNCTION
  "backup"."configure"(text, text, bigint, bigint, integer, bigint, integer, integer, integer, integer, integer, integer, integer, integer, integer, integer, integer, text,
  integer, text);

ALTER TABLE "backup"."settings"
  ADD COLUMN "leave_out" text[] NOT NULL DEFAULT '{}'::text[];

CREATE OR REPLACE FUNCTION backup._check_contents()
  RETURNS SETOF jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    tables text := (select array_to_string(s.leave_out, ', ') from backup.settings s);
    newest backup.log;
    objects text[];
begin
    if tables <> '' then
        return next backup._reason(
            'rows_left_out', 'info', format('Rows of these tables are not backed up: %s', tables),
            'To back them up, run: select backup.configure(leave_out => ''{}'')'
        );
    end if;
    select l.* into newest from backup.log l where l.status = 'succeeded' order by backup._is_future(l.started_at), l.started_at desc limit 1;
    objects := array(
        select w ->> 'object' from jsonb_array_elements(newest.warnings) w where w ->> 'code' = 'may_not_restore' order by 1
    );
    if cardinality(objects) > 0 then
        return next backup._reason(
            'may_not_restore', 'info',
            format('%s objects in %s may not restore as they are: %s', cardinality(objects), newest.name, array_to_string(objects[1:5], ', '))
                || case when cardinality(objects) > 5 then ', …' else '' end,
            format('See why: select warnings from backup.log where name = %L. A drill shows what a restore makes of them.', newest.name)
        );
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._check_shrinkage()
  RETURNS SETOF jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    newest backup.log;
    earlier bigint[];
    usual record;
    tables text[];
begin
    select l.* into newest from backup.log l where l.status = 'succeeded' order by backup._is_future(l.started_at), l.started_at desc limit 1;
    earlier := array(
        select l.id
        from backup.log l
        where l.status = 'succeeded' and l.id <> newest.id
        order by backup._is_future(l.started_at), l.started_at desc
        limit 4
    );
    select
        percentile_disc(0.5) within group (order by l.rows) as rows,
        percentile_disc(0.5) within group (order by l.raw_bytes) as raw_bytes
    into usual
    from backup.log l
    where l.id = any (earlier);
    if usual.rows >= 100 and newest.rows * 2 < usual.rows or usual.raw_bytes >= 1000000 and newest.raw_bytes * 2 < usual.raw_bytes then
        return next backup._reason(
            'shrank', 'warning',
            format(
                '%s has %s rows (%s bytes); the %s before it had %s (%s bytes)',
                newest.name, newest.rows, newest.raw_bytes, cardinality(earlier), usual.rows, usual.raw_bytes
            ),
            'If this was not intended, keep an older backup now: select backup.pin(name). See docs/operations.md for how to restore.'
        );
    end if;
    if not exists (select from backup.table_rows t where t.run_id = newest.id) then
        return;
    end if;
    select array_agg(format('%I.%I (%s of %s rows)', u.schema, u.name, coalesce(t.rows, 0), u.rows) order by u.rows desc)
    into tables
    from (
        select o.schema, o.name, percentile_disc(0.5) within group (order by o.rows) as rows
        from backup.table_rows o
        where o.run_id = any (earlier)
        group by 1, 2
        -- A table that only some of them have is not a loss.
        having count(*) = (select count(distinct c.run_id) from backup.table_rows c where c.run_id = any (earlier))
    ) u
    left join backup.table_rows t on t.run_id = newest.id and t.schema = u.schema and t.name = u.name
    where (u.rows >= 10 and coalesce(t.rows, 0) = 0 or u.rows >= 100 and t.rows * 2 < u.rows)
        and not exists (select from backup.settings s where format('%s.%s', u.schema, u.name) = any (s.leave_out));
    if tables is not null then
        return next backup._reason(
            'tables_shrank', 'warning',
            format('%s tables in %s lost all or half of their rows: %s', cardinality(tables), newest.name, array_to_string(tables[1:5], ', '))
                || case when cardinality(tables) > 5 then ', …' else '' end,
            'If this was not intended, keep an older backup now: select backup.pin(name). supabase-backup restore --table restores single tables.'
        );
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._rebuild_log (
  backups jsonb
)
  RETURNS TABLE (
    name    text,
    outcome text
  )
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION backup.configure (
  function_url        text    DEFAULT NULL::text,
  bucket              text    DEFAULT NULL::text,
  slice_bytes         bigint  DEFAULT NULL::bigint,
  invocation_bytes    bigint  DEFAULT NULL::bigint,
  part_bytes          integer DEFAULT NULL::integer,
  storage_quota_bytes bigint  DEFAULT NULL::bigint,
  level               integer DEFAULT NULL::integer,
  workers             integer DEFAULT NULL::integer,
  lease_seconds       integer DEFAULT NULL::integer,
  call_ttl_seconds    integer DEFAULT NULL::integer,
  max_attempts        integer DEFAULT NULL::integer,
  lock_timeout_ms     integer DEFAULT NULL::integer,
  keep_scheduled      integer DEFAULT NULL::integer,
  keep_manual         integer DEFAULT NULL::integer,
  keep_weekly         integer DEFAULT NULL::integer,
  keep_monthly        integer DEFAULT NULL::integer,
  keep_yearly         integer DEFAULT NULL::integer,
  recipient           text    DEFAULT NULL::text,
  alert_reminder_days integer DEFAULT NULL::integer,
  second_copy         text    DEFAULT NULL::text,
  leave_out           text[]  DEFAULT NULL::text[]
)
  RETURNS text
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    before jsonb;
    changed backup.settings;
    rule text;
begin
    -- A database that was restored without its data has the table but no row.
    insert into backup.settings default values on conflict (id) do nothing;
    select to_jsonb(s) into strict before from backup.settings s for update;
    update backup.settings s set
        function_url = coalesce(configure.function_url, s.function_url),
        bucket = coalesce(configure.bucket, s.bucket),
        slice_bytes = coalesce(configure.slice_bytes, s.slice_bytes),
        invocation_bytes = coalesce(configure.invocation_bytes, s.invocation_bytes),
        part_bytes = coalesce(configure.part_bytes, s.part_bytes),
        storage_quota_bytes = coalesce(configure.storage_quota_bytes, s.storage_quota_bytes),
        level = coalesce(configure.level, s.level),
        workers = coalesce(configure.workers, s.workers),
        lease_seconds = coalesce(configure.lease_seconds, s.lease_seconds),
        call_ttl_seconds = coalesce(configure.call_ttl_seconds, s.call_ttl_seconds),
        max_attempts = coalesce(configure.max_attempts, s.max_attempts),
        lock_timeout_ms = coalesce(configure.lock_timeout_ms, s.lock_timeout_ms),
        keep_scheduled = coalesce(configure.keep_scheduled, s.keep_scheduled),
        keep_manual = coalesce(configure.keep_manual, s.keep_manual),
        keep_weekly = coalesce(configure.keep_weekly, s.keep_weekly),
        keep_monthly = coalesce(configure.keep_monthly, s.keep_monthly),
        keep_yearly = coalesce(configure.keep_yearly, s.keep_yearly),
        -- A call that does not name it must not turn encryption off.
        recipient = nullif(coalesce(configure.recipient, s.recipient), ''),
        alert_reminder_days = coalesce(configure.alert_reminder_days, s.alert_reminder_days),
        second_copy = coalesce(configure.second_copy, s.second_copy),
        leave_out = coalesce(configure.leave_out, s.leave_out),
        -- A new budget is tried as it is.
        budget_halvings = case
            when configure.slice_bytes is null and configure.invocation_bytes is null then s.budget_halvings
            else 0
        end
    returning s.* into strict changed;
    return (
        select coalesce(
            string_agg(format('%s: %s → %s', n.key, coalesce(before ->> n.key, 'not set'), coalesce(n.value, 'not set')), chr(10) order by n.key),
            'Nothing has changed'
        )
        from jsonb_each_text(to_jsonb(changed)) n
        where n.value is distinct from before ->> n.key
    );
exception
    when check_violation then
        get stacked diagnostics rule = constraint_name;
        raise exception 'Cannot change the settings: they violate the rule "%"', rule
            using errcode = 'invalid_parameter_value',
                hint = (
                    select pg_catalog.obj_description(c.oid, 'pg_constraint')
                    from pg_catalog.pg_constraint c
                    where c.conname = rule and c.conrelid = 'backup.settings'::regclass
                );
end;
$function$;

CREATE OR REPLACE FUNCTION backup.examine()
  RETURNS TABLE (
    verdict    text,
    reasons    jsonb,
    facts      jsonb,
    checked_at timestamp with time zone
  )
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    with found as (
        select reason, array_position('{failing,warning,info}', reason ->> 'severity') as rank
        from (
            select backup._check_runs(backup._backup_schedule())
            union all
            select backup._check_jobs()
            union all
            select backup._check_environment()
            union all
            select backup._check_shrinkage()
            union all
            select backup._check_contents()
            union all
            select backup._check_drills()
            union all
            select backup._check_settings()
            union all
            select backup._check_alerts()
            union all
            select backup._check_copies()
        ) all_reasons (reason)
    )
    select
        coalesce((array['failing', 'warning'])[min(rank)], 'ok'),
        jsonb_agg(reason order by rank, reason ->> 'code'),
        (
            select jsonb_build_object(
                'newest_backup', (select b.name from backup._stored_backups() b where b.whole is not false limit 1),
                'backups', (select count(*) from backup._stored_backups() b where b.whole is not false),
                'schedule', backup._backup_schedule(),
                'longest_wait', backup._interval_of(backup._backup_schedule()),
                'bucket', s.bucket,
                'last_drill', (select max(d.started_at) from backup.drills d)
            )
            from backup.settings s
        ),
        now()
    from found;
$function$;

ALTER TABLE "backup"."settings"
  ADD CONSTRAINT "leave_out_form" CHECK ((array_to_string(leave_out, chr(10), ''::text) ~ '^([^.\n]+\.[^\n]+(\n[^.\n]+\.[^\n]+)*)?$'::text));

COMMENT ON COLUMN "backup"."settings"."leave_out" IS 'Tables, as schema.table, whose rows are not backed up; their definitions are. Each run warns of them.';

COMMENT ON CONSTRAINT "leave_out_form" ON "backup"."settings" IS 'leave_out is a list of tables as schema.table, not quoted: ''{public.logs, public.blobs}''; ''{}'' backs up all rows.';

COMMENT ON FUNCTION "backup"."_check_contents"() IS 'Checks for rows that are left out on purpose, and for objects of the newest backup that a server may refuse.';

COMMENT ON FUNCTION "backup"."_rebuild_log"(jsonb) IS 'Restores rows of the log from the manifests in the bucket and returns what became of each. backups is [{name, trigger, attempt, finished_at, server_version, tables, rows, raw_bytes, stored_bytes, parts, checksum, warnings, bucket, table_rows, manifest_rebuilt}]. Only what a manifest proves is changed; a second time nothing is.';

COMMENT ON FUNCTION
  "backup"."configure"(text, text, bigint, bigint, integer, bigint, integer, integer, integer, integer, integer, integer, integer, integer, integer, integer, integer, text,
  integer, text, text[]) IS 'Changes the settings named in the call and returns what has changed, one line a setting. A run under way keeps the settings it began with. Example: select backup.configure(function_url => ''https://abc.supabase.co/functions/v1/backup'', workers => 3)';

REVOKE ALL ON FUNCTION "backup"."_check_contents"() FROM PUBLIC;

REVOKE ALL
  ON FUNCTION
    "backup"."configure"(text, text, bigint, bigint, integer, bigint, integer, integer, integer, integer, integer, integer, integer, integer, integer, integer, integer, text,
    integer, text, text[])
  FROM PUBLIC;

GRANT EXECUTE
  ON FUNCTION
    "backup"."configure"(text, text, bigint, bigint, integer, bigint, integer, integer, integer, integer, integer, integer, integer, integer, integer, integer, integer, text,
    integer, text, text[])
  TO "service_role";

comment on column backup.health.verdict is
    'ok, warning (look into it) or failing (there is, or soon will be, no backup to go back to).';
comment on column backup.health.reasons is
    'Why: code, severity, message, hint; the worst first. Those of severity info do not count.';
comment on column backup.health.facts is 'newest_backup, backups, schedule, longest_wait, bucket, last_drill.';
comment on column backup.health.checked_at is 'When it was looked at: now.';
