SET local check_function_bodies = off;

ALTER TABLE "backup"."calls"
  DROP CONSTRAINT "purpose_known";

ALTER TABLE "backup"."workers"
  DROP CONSTRAINT "purpose_known";

CREATE TABLE "backup"."peeks" (
  "id"          bigint                   GENERATED ALWAYS AS IDENTITY NOT NULL,
  "backup"      text                     NOT NULL,
  "schema"      text                     NOT NULL,
  "name"        text                     NOT NULL,
  "row_limit"   integer                  NOT NULL,
  "asked_at"    timestamp with time zone NOT NULL DEFAULT now(),
  "answered_at" timestamp with time zone,
  "found"       jsonb,
  "error"       jsonb,
  CONSTRAINT "answered_with_something" CHECK (((answered_at IS NULL) = (num_nonnulls(found, error) = 0))),
  CONSTRAINT "asked_once" UNIQUE (backup, SCHEMA, name, row_limit),
  CONSTRAINT "peeks_pkey" PRIMARY KEY (id),
  CONSTRAINT "row_limit_range" CHECK (((row_limit >= 1) AND (row_limit <= 1000)))
);

ALTER TABLE "backup"."peeks"
  ENABLE ROW LEVEL SECURITY;

CREATE TABLE "backup"."restores" (
  "id"              bigint                   GENERATED ALWAYS AS IDENTITY NOT NULL,
  "kind"            text                     NOT NULL,
  "backup"          text                     NOT NULL,
  "subject"         text,
  "keys"            text[],
  "into_schema"     text,
  "target"          text,
  "status"          text                     NOT NULL DEFAULT 'queued'::text,
  "requested_at"    timestamp with time zone NOT NULL DEFAULT now(),
  "started_at"      timestamp with time zone,
  "progressed_at"   timestamp with time zone NOT NULL DEFAULT now(),
  "finished_at"     timestamp with time zone,
  "rows"            bigint                   NOT NULL DEFAULT 0,
  "raw_bytes"       bigint                   NOT NULL DEFAULT 0,
  "progress"        text,
  "exceptions"      jsonb                    NOT NULL DEFAULT '[]'::jsonb,
  "see_differences" text,
  "insert_missing"  text,
  "update_changed"  text,
  "create_again"    text,
  "error_code"      text,
  "error_message"   text,
  "error_hint"      text,
  "state"           jsonb,
  "failures"        integer                  NOT NULL DEFAULT 0,
  "retry_at"        timestamp with time zone,
  CONSTRAINT "backup_form" CHECK ((backup ~ '^[^[:cntrl:]]{1,200}$'::text)),
  CONSTRAINT "counts_range" CHECK ((LEAST(rows, raw_bytes, (failures)::bigint) >= 0)),
  CONSTRAINT "ended_when_inactive" CHECK (((status = ANY (ARRAY['queued'::text, 'running'::text, 'cancelling'::text])) = (finished_at IS NULL))),
  CONSTRAINT "exceptions_form" CHECK ((jsonb_typeof(exceptions) = 'array'::text)),
  CONSTRAINT "failure_has_reason" CHECK (((status <> 'failed'::text) OR ((error_code IS NOT NULL) AND (error_message IS NOT NULL)))),
  CONSTRAINT "kind_known" CHECK ((kind = ANY (ARRAY['table'::text, 'rows'::text, 'schema'::text, 'drill'::text, 'command'::text]))),
  CONSTRAINT "restores_pkey" PRIMARY KEY (id),
  CONSTRAINT "status_known" CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'cancelling'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text])))
);

ALTER TABLE "backup"."restores"
  ENABLE ROW LEVEL SECURITY;

CREATE OR REPLACE FUNCTION backup._ask_restore (
  kind        text,
  subject     text,
  backup      text,
  keys        text[] DEFAULT NULL::text[],
  into_schema text   DEFAULT NULL::text
)
  RETURNS bigint
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    asked bigint;
begin
    perform backup._require_function();
    insert into backup.restores as r (kind, backup, subject, keys, into_schema)
    values (
        _ask_restore.kind, _ask_restore.backup, _ask_restore.subject, _ask_restore.keys,
        case when _ask_restore.kind <> 'drill' then backup._make_side_schema(_ask_restore.into_schema) end
    )
    returning r.id into asked;
    perform backup.watch();
    return asked;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._check_drills()
  RETURNS SETOF jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    drill backup.drills;
    ended backup.restores;
    hint constant text := 'Run: select backup.schedule_drill(), which restores the newest backup into a scratch database every Sunday at five. Outside the project: supabase-backup drill, or docs/drill.yml.';
    since timestamptz := (select min(l.started_at) from backup.log l where l.status = 'succeeded');
begin
    select d.* into drill from backup.drills d order by d.started_at desc limit 1;
    if drill.failed > 0 then
        return next backup._reason(
            'drill_failed', 'failing',
            format('The drill of %s on %s found %s failures', drill.name, drill.started_at::date, drill.failed),
            'See: select checks from backup.drills order by started_at desc limit 1'
        );
    elsif drill.id is null and since is not null then
        return next backup._reason(
            'never_drilled', case when since < now() - interval '30 days' then 'warning' else 'info' end,
            'No backup has ever been restored in a drill', hint
        );
    elsif drill.started_at < now() - interval '35 days' then
        return next backup._reason(
            'drill_old', 'warning', format('The last drill was %s days ago', extract(day from now() - drill.started_at)), hint
        );
    end if;
    select r.* into ended from backup.restores r where r.kind = 'drill' and r.finished_at is not null order by r.id desc limit 1;
    if ended.status = 'failed' and ended.finished_at > coalesce(drill.finished_at, '-infinity') then
        return next backup._reason(
            'drill_ended_early', 'warning',
            format('The last drill of the project could not be completed: %s', ended.error_message), ended.error_hint
        );
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._count_restore_failure (
  id    bigint,
  error jsonb,
  final boolean
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    failed backup.restores;
begin
    update backup.restores r
    set failures = r.failures + 1,
        error_code = error ->> 'code',
        error_message = error ->> 'message',
        error_hint = error ->> 'hint',
        retry_at = case when r.failures > 0 then clock_timestamp() + least(interval '10 minutes', interval '5 seconds' * 2 ^ r.failures) end
    where r.id = _count_restore_failure.id and r.finished_at is null
    returning r.* into failed;
    if final or failed.failures >= 6 then
        perform backup._end_restore(id, case when failed.status = 'cancelling' then 'cancelled' else 'failed' end, error);
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._drill_room (
  wanted bigint
)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    select jsonb_build_object(
        'bytes', coalesce(
            wanted,
            -- Databases below 500 MB may be of the free plan, which is read-only above.
            case when z.all_of_them < 500000000
                then least(greatest(100000000, z.own / 10), 470000000 - z.all_of_them)
                else greatest(100000000, z.own / 10)
            end
        ),
        'database_bytes', z.all_of_them
    )
    from (
        select pg_database_size(current_database()),
            (select sum(pg_database_size(d.oid))::bigint from pg_database d where has_database_privilege(d.oid, 'connect'))
    ) z (own, all_of_them);
$function$;

CREATE OR REPLACE FUNCTION backup._drop_side_schema (
  name text
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
    if not exists (
        select
        from pg_namespace n
        where n.nspname = _drop_side_schema.name and pg_get_userbyid(n.nspowner) = current_user
            and not exists (select from pg_class c where c.relnamespace = n.oid)
    ) then
        return;
    end if;
    execute format('drop schema %I restrict', name);
exception
    -- Somebody has put something else into it.
    when dependent_objects_still_exist then
        return;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._end_restore (
  id     bigint,
  status text,
  error  jsonb
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    ended backup.restores;
begin
    update backup.restores r
    set status = _end_restore.status,
        finished_at = clock_timestamp(),
        progressed_at = clock_timestamp(),
        progress = null,
        state = null,
        retry_at = null,
        error_code = error ->> 'code',
        error_message = error ->> 'message',
        error_hint = error ->> 'hint'
    where r.id = _end_restore.id
    returning r.* into ended;
    if status <> 'succeeded' and ended.into_schema is not null then
        perform backup._drop_side_schema(ended.into_schema);
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._find_backup (
  wanted text
)
  RETURNS backup.log
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    run backup.log;
begin
    select l.* into run
    from backup._stored_backups() with ordinality b (id, name, started_at, whole, place)
    join backup.log l on l.id = b.id
    where case when wanted in ('latest', 'oldest') then b.whole is not false else l.name = wanted end
    order by case when wanted = 'oldest' then -b.place else b.place end
    limit 1;
    if not found then
        raise exception 'Backup "%" is not stored', wanted
            using errcode = 'no_data_found', hint = 'See the stored ones with: select distinct backup from backup.contents';
    elsif run.settings ->> 'recipient' is not null then
        raise exception 'Backup "%" is encrypted, and the project does not have the key', run.name
            using errcode = 'object_not_in_prerequisite_state',
                hint = format('On a machine with the key, run: supabase-backup restore --backup %s --identity KEYFILE', run.name);
    end if;
    return run;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._find_table (
  run_id bigint,
  wanted text,
  OUT    schema text,
  OUT    name text
)
  RETURNS record
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    dot integer := strpos(wanted, '.');
    like_it text;
begin
    schema := case when dot = 0 then 'public' else left(wanted, dot - 1) end;
    name := substr(wanted, dot + 1);
    -- A partitioned table has its rows in its partitions, which the function finds in the archive.
    if exists (
        select from backup.table_rows t
        where t.run_id = _find_table.run_id and t.schema = _find_table.schema
            and (t.name = _find_table.name or starts_with(t.name, _find_table.name || '_'))
    ) or exists (
        select
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = _find_table.schema and c.relname = _find_table.name and c.relkind = 'p'
    ) then
        return;
    end if;
    select string_agg(format('%s.%s', t.schema, t.name), ', ' order by t.schema, t.name) into like_it
    from (
        select t.schema, t.name
        from backup.table_rows t
        where t.run_id = _find_table.run_id and (t.schema = _find_table.schema or t.name = _find_table.name)
        order by t.schema, t.name
        limit 20
    ) t;
    raise exception 'The backup has no table "%.%"', schema, name
        using errcode = 'undefined_table', hint = coalesce('It has ' || like_it || '.', 'Names are schema.table, not quoted.');
end;
$function$;

CREATE OR REPLACE FUNCTION backup._finish_restore (
  worker     uuid,
  id         bigint,
  status     text,
  error      jsonb,
  statements jsonb
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
    perform backup._require_turn(worker);
    if status = 'succeeded' and not exists (select from backup.restores r where r.id = _finish_restore.id and r.status = 'running') then
        raise exception 'Restore % was cancelled', id
            using errcode = 'BK002', hint = 'No action is needed.';
    end if;
    update backup.restores r
    set see_differences = statements ->> 'see_differences',
        insert_missing = statements ->> 'insert_missing',
        update_changed = statements ->> 'update_changed',
        create_again = statements ->> 'create_again'
    where r.id = _finish_restore.id;
    perform backup._end_restore(id, status, error);
end;
$function$;

CREATE OR REPLACE FUNCTION backup._make_side_schema (
  wanted text
)
  RETURNS text
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    base constant text := 'restored_' || to_char(now() at time zone 'UTC', 'YYYYMMDD');
    chosen text := coalesce(wanted, base);
    other record;
begin
    for number in 2 .. 1000 loop
        exit when wanted is not null or to_regnamespace(quote_ident(chosen)) is null;
        chosen := base || '_' || number;
    end loop;
    if to_regnamespace(quote_ident(chosen)) is not null then
        -- What an earlier restore made may take more; all else belongs to somebody.
        if exists (
            select
            from backup.restores r
            join pg_namespace n on n.nspname = r.into_schema
            where r.into_schema = chosen and pg_get_userbyid(n.nspowner) = current_user
        ) then
            return chosen;
        end if;
        raise exception 'Cannot restore into the schema "%": it exists', chosen
            using errcode = 'duplicate_schema', hint = 'Name a schema that does not exist: copies land beside, and nothing is overwritten.';
    end if;
    execute format('create schema %I', chosen);
    -- Default privileges may have opened it.
    for other in
        select distinct a.grantee::regrole as role
        from pg_namespace n, aclexplode(n.nspacl) a
        where n.nspname = chosen and a.grantee <> n.nspowner and a.grantee <> 0
    loop
        execute format('revoke all on schema %I from %s', chosen, other.role);
    end loop;
    execute format('revoke all on schema %I from public', chosen);
    return chosen;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._next_restore (
  worker uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    task record;
begin
    perform backup._require_turn(worker);
    select t.action, t.id into task from backup._restore_tasks() t limit 1;
    if not found then
        return null;
    end if;
    update backup.workers w
    set progress = jsonb_build_object(case task.action when 'peek' then 'peek' else 'restore' end, task.id)
    where w.id = worker;
    if task.action = 'clean' then
        return jsonb_build_object('action', task.action, 'id', 0);
    elsif task.action = 'peek' then
        return (
            select jsonb_build_object(
                'action', task.action, 'id', p.id, 'schema', p.schema, 'name', p.name, 'row_limit', p.row_limit, 'backup', p.backup,
                'bucket', l.settings ->> 'bucket', 'checksum', l.checksum
            )
            from backup.peeks p
            left join backup.log l on l.name = p.backup
            where p.id = task.id
        );
    end if;
    update backup.restores r
    set status = 'running', started_at = coalesce(r.started_at, clock_timestamp())
    where r.id = task.id and r.status = 'queued';
    return (
        select jsonb_build_object(
            'action', task.action, 'id', r.id, 'kind', r.kind, 'subject', r.subject, 'keys', r.keys, 'into_schema', r.into_schema, 'backup', r.backup,
            'state', r.state, 'rows', r.rows, 'raw_bytes', r.raw_bytes, 'exceptions', r.exceptions, 'bucket', l.settings ->> 'bucket', 'checksum', l.checksum
        )
        from backup.restores r
        left join backup.log l on l.name = r.backup
        where r.id = task.id
    );
end;
$function$;

CREATE OR REPLACE FUNCTION backup._reconcile()
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    active bigint := (select l.id from backup.log l where l.finished_at is null);
    due text;
begin
    if active is not null then
        perform backup._reconcile_run(active);
    end if;
    perform backup._lock_work();
    perform backup._collect_responses(null);
    delete from backup.calls c where c.purpose <> 'run' and c.created_at < now() - interval '7 days';
    perform backup._end_restore(
        r.id, 'failed',
        '{"code": "no_progress", "message": "It made no progress for a day", "hint": "See select * from backup.health and the logs of the function."}'
    )
    from backup.restores r
    where r.finished_at is null and r.progressed_at < now() - interval '1 day';
    for due in
        select w.purpose
        from backup._work() w
        where w.due
            and backup._function_error() is null
            and not exists (select from backup.live_workers l where l.purpose = w.purpose and l.working)
            and (select s.expected from backup._call_status(w.purpose, null) s) = 0
    loop
        perform backup._call(due);
    end loop;
    if backup._platform_has('cron.job') then
        perform backup._keep_watching(
            exists (select from backup.log l where l.finished_at is null)
                or backup._function_error() is null and exists (select from backup._work() w where w.pending)
        );
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._record_drill (
  worker uuid,
  id     bigint,
  target text,
  checks jsonb
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
    perform backup._finish_restore(worker, id, 'succeeded', null, null);
    insert into backup.drills (name, started_at, finished_at, target, passed, failed, skipped, unchecked, checks)
    select r.backup, r.started_at, clock_timestamp(), _record_drill.target,
        count(*) filter (where c ->> 'outcome' = 'passed'),
        count(*) filter (where c ->> 'outcome' = 'failed'),
        count(*) filter (where c ->> 'outcome' = 'skipped'),
        count(*) filter (where c ->> 'outcome' = 'unchecked'),
        coalesce(jsonb_agg(c) filter (where c ->> 'outcome' <> 'passed'), '[]')
    from backup.restores r, jsonb_array_elements(checks) c
    where r.id = _record_drill.id
    group by r.id;
    perform backup._record_event();
end;
$function$;

CREATE OR REPLACE FUNCTION backup._record_peek (
  worker uuid,
  id     bigint,
  answer jsonb,
  error  jsonb
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
    perform backup._require_turn(worker);
    update backup.peeks p
    set answered_at = clock_timestamp(), found = _record_peek.answer, error = _record_peek.error
    where p.id = _record_peek.id and p.answered_at is null;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._record_restore_failure (
  worker uuid,
  id     bigint,
  error  jsonb,
  final  boolean
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
    perform backup._require_turn(worker);
    perform backup._count_restore_failure(id, error, final);
end;
$function$;

CREATE OR REPLACE FUNCTION backup._record_restored (
  worker     uuid,
  id         bigint,
  rows       bigint,
  raw_bytes  bigint,
  state      jsonb,
  progress   text,
  exceptions jsonb
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
    perform backup._require_turn(worker);
    update backup.restores r
    set rows = _record_restored.rows,
        raw_bytes = _record_restored.raw_bytes,
        state = _record_restored.state,
        progress = _record_restored.progress,
        exceptions = _record_restored.exceptions,
        progressed_at = clock_timestamp(),
        failures = 0,
        retry_at = null
    where r.id = _record_restored.id and r.status = 'running';
    if not found then
        raise exception 'Restore % was cancelled', id
            using errcode = 'BK002', hint = 'No action is needed.';
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._register_restorer (
  worker uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    died backup.workers;
    why constant jsonb := jsonb_build_object(
        'code', 'worker_died',
        'message', 'The invocation exited unexpectedly',
        'hint', 'Check the logs of the function for limits of CPU, memory or time.'
    );
begin
    perform backup._lock_work();
    for died in
        delete from backup.workers w
        where w.purpose = 'restore' and not exists (select from backup.live_workers live where live.id = w.id and live.working)
        returning w.*
    loop
        if died.left_at is null then
            perform backup._count_restore_failure((died.progress ->> 'restore')::bigint, why, false);
            update backup.peeks p
            set answered_at = clock_timestamp(), error = why
            where p.id = (died.progress ->> 'peek')::bigint and p.answered_at is null;
        end if;
    end loop;
    if not exists (select from backup._restore_tasks()) or not backup._take_turn('restore', worker) then
        return null;
    end if;
    return backup._settings_of_attempt();
end;
$function$;

CREATE OR REPLACE FUNCTION backup._release_restorer (
  worker uuid
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
    perform backup._lock_starts();
    update backup.workers w set left_at = clock_timestamp() where w.id = worker;
    perform backup._reconcile();
end;
$function$;

CREATE OR REPLACE FUNCTION backup._replace_table_counts (
  run_id bigint,
  tables jsonb
)
  RETURNS void
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    delete from backup.table_rows t where t.run_id = _replace_table_counts.run_id;
    insert into backup.table_rows (run_id, schema, name, rows, raw_bytes)
    select _replace_table_counts.run_id, t.schema, t.name, t.rows, t."rawBytes"
    from jsonb_to_recordset(tables) t (schema text, name text, rows bigint, "rawBytes" bigint);
    delete from backup.table_rows t
    where t.run_id in (
        select l.id
        from backup.log l
        where l.removed_at is not null and exists (select from backup.table_rows o where o.run_id = l.id)
        order by l.started_at desc
        offset 10
    );
$function$;

CREATE OR REPLACE FUNCTION backup._require_drill_bytes (
  drill_bytes bigint
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
    if drill_bytes < 20000000 then
        raise exception 'Cannot drill in % bytes', drill_bytes
            using errcode = 'invalid_parameter_value', hint = 'Give drill_bytes of at least 20000000 (20 MB): an empty database has 8 MB.';
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._restore_tasks()
  RETURNS TABLE (
    action text,
    id     bigint
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    select t.action, t.id
    from (
        select 0 as rank, 'peek', p.id
        from backup.peeks p
        where p.answered_at is null and p.asked_at > clock_timestamp() - interval '10 minutes'
        union all
        select
            case when r.status = 'cancelling' then 1 when r.kind = 'drill' then 3 else 2 end,
            case when r.status = 'cancelling' then 'remove' when r.kind = 'drill' then 'drill' else 'restore' end,
            r.id
        from backup.restores r
        where r.finished_at is null
            and (r.retry_at is null or r.retry_at <= clock_timestamp())
            -- A drill gives way to a backup.
            and (r.kind <> 'drill' or r.status = 'cancelling' or not exists (select from backup.log l where l.finished_at is null))
        union all
        -- What a drill that has ended, or died, has left behind.
        select 4, 'clean', 0
        from pg_roles o
        where o.rolname = 'scratch_of_backup_drill'
            and not exists (select from backup.restores r where r.kind = 'drill' and r.finished_at is null)
    ) t (rank, action, id)
    order by t.rank, t.id;
$function$;

CREATE OR REPLACE FUNCTION backup._restores_pending()
  RETURNS SETOF bigint
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    select r.id from backup.restores r where r.finished_at is null
    union all
    select t.id from backup._restore_tasks() t where t.action in ('peek', 'clean');
$function$;

CREATE OR REPLACE FUNCTION backup._work()
  RETURNS TABLE (
    purpose text,
    due     boolean,
    pending boolean
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    select 'restore', exists (select from backup._restore_tasks()), exists (select from backup._restores_pending())
    union all
    -- A run goes first: nothing is copied while one is active.
    select 'copy', idle and exists (select from backup._copy_tasks()), idle and exists (select from backup._copies_pending())
    from (select not exists (select from backup.log l where l.finished_at is null)) run (idle)
    union all
    select
        'alert',
        -- A function that has not reported its channels for a day may be gone. A call that came to nothing is
        -- repeated after ten minutes, or for a newer event.
        (not channels.known or alerts.due) and not exists (
            select
            from backup.calls c
            where c.purpose = 'alert' and c.worker is null and c.created_at > greatest(now() - interval '10 minutes', event.noticed_at)
        ),
        (not channels.known or alerts.untold) and event.noticed_at > now() - interval '1 day'
    from (select count(*) > 0, coalesce(bool_or(u.due), false) from backup._pending_alerts() u) alerts (untold, due),
        (select exists (select from backup.channels c where c.reported_at > now() - interval '20 hours')) channels (known),
        (select max(e.noticed_at) from backup.events e) event (noticed_at);
$function$;

CREATE OR REPLACE FUNCTION backup.cancel_restore (
  id bigint
)
  RETURNS boolean
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    asked backup.restores;
begin
    select r.* into asked from backup.restores r where r.id = cancel_restore.id for update;
    if not found then
        raise exception 'Restore % does not exist', id
            using errcode = 'no_data_found', hint = 'See all with: select * from backup.restores';
    elsif asked.kind = 'command' or asked.status not in ('queued', 'running') then
        return false;
    elsif asked.status = 'queued' then
        perform backup._end_restore(asked.id, 'cancelled', null);
        return true;
    end if;
    -- The function removes what it has made.
    update backup.restores r set status = 'cancelling', retry_at = null, progressed_at = clock_timestamp() where r.id = asked.id;
    perform backup.watch();
    return true;
end;
$function$;

CREATE OR REPLACE FUNCTION backup.drill (
  backup      text   DEFAULT 'latest'::text,
  drill_bytes bigint DEFAULT NULL::bigint
)
  RETURNS bigint
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    run backup.log := backup._find_backup(backup);
    active bigint := (select min(r.id) from backup.restores r where r.kind = 'drill' and r.finished_at is null);
begin
    perform backup._require_drill_bytes(drill_bytes);
    if active is null then
        active := backup._ask_restore('drill', null, run.name);
        update backup.restores r set state = jsonb_build_object('bytes', drill.drill_bytes) where r.id = active and drill.drill_bytes is not null;
    end if;
    return active;
end;
$function$;

CREATE OR REPLACE FUNCTION backup.peek (
  table_name text,
  rows       integer DEFAULT 20,
  backup     text    DEFAULT 'latest'::text
)
  RETURNS TABLE (
    status text,
    record jsonb
  )
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    run backup.log := backup._find_backup(backup);
    place record;
    asked backup.peeks;
begin
    if rows is null or rows not between 1 and 1000 then
        raise exception 'Cannot look at % rows', coalesce(rows::text, 'null')
            using errcode = 'invalid_parameter_value', hint = 'Give rows between 1 and 1000.';
    end if;
    perform backup._require_function();
    select f.schema, f.name into place from backup._find_table(run.id, table_name) f;
    delete from backup.peeks p where p.asked_at < now() - interval '1 hour';
    insert into backup.peeks as p (backup, schema, name, row_limit)
    values (run.name, place.schema, place.name, peek.rows)
    on conflict on constraint asked_once do nothing;
    select p.* into strict asked
    from backup.peeks p
    where p.backup = run.name and p.schema = place.schema and p.name = place.name and p.row_limit = peek.rows;
    if asked.error is not null then
        delete from backup.peeks p where p.id = asked.id;
        return query select format('failed: %s. %s', asked.error ->> 'message', asked.error ->> 'hint'), null::jsonb;
    elsif asked.found is null then
        perform backup.watch();
        return query select format('asked at %s: run this statement again in a few seconds', asked.asked_at::time(0)), null::jsonb;
    elsif jsonb_array_length(asked.found) = 0 then
        return query select format('%s.%s has no rows in %s', asked.schema, asked.name, asked.backup), null::jsonb;
    else
        return query
        select format('row %s in %s', r.place, asked.backup), r.value
        from jsonb_array_elements(asked.found) with ordinality r (value, place)
        order by r.place;
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup.restore_rows (
  table_name  text,
  keys        text[],
  backup      text   DEFAULT 'latest'::text,
  into_schema text   DEFAULT NULL::text
)
  RETURNS bigint
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
    return backup.restore_table(table_name, backup, into_schema, coalesce(keys, '{}'));
end;
$function$;

CREATE OR REPLACE FUNCTION backup.restore_schema (
  schema      text DEFAULT 'public'::text,
  backup      text DEFAULT 'latest'::text,
  into_schema text DEFAULT NULL::text
)
  RETURNS bigint
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    run backup.log := backup._find_backup(backup);
begin
    if not exists (select from backup.table_rows t where t.run_id = run.id and t.schema = restore_schema.schema) then
        raise exception 'The backup has no tables in a schema "%"', schema
            using errcode = 'invalid_schema_name',
                hint = 'See them with: select distinct schema from backup.contents';
    end if;
    return backup._ask_restore('schema', schema, run.name, null, into_schema);
end;
$function$;

CREATE OR REPLACE FUNCTION backup.restore_table (
  table_name  text,
  backup      text   DEFAULT 'latest'::text,
  into_schema text   DEFAULT NULL::text,
  where_key   text[] DEFAULT NULL::text[]
)
  RETURNS bigint
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    run backup.log := backup._find_backup(backup);
    place record;
begin
    if cardinality(where_key) = 0 or cardinality(where_key) > 10000 or array_position(where_key, null) is not null then
        raise exception 'Invalid keys: there are none, more than 10000, or one is null'
            using errcode = 'invalid_parameter_value',
                hint = 'Give primary keys as text: array[''17'', ''18'']; of several columns as JSON: array[''["17", "DE"]''].';
    end if;
    select f.schema, f.name into place from backup._find_table(run.id, table_name) f;
    return backup._ask_restore(
        case when where_key is null then 'table' else 'rows' end, place.schema || '.' || place.name, run.name, where_key, into_schema
    );
end;
$function$;

CREATE OR REPLACE FUNCTION backup.schedule_drill (
  schedule    text   DEFAULT '0 5 * * 0'::text,
  backup      text   DEFAULT 'latest'::text,
  drill_bytes bigint DEFAULT NULL::bigint
)
  RETURNS bigint
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
    perform backup._require_drill_bytes(drill_bytes);
    if not backup.is_schedule(schedule) then
        raise exception 'Invalid schedule "%": it is not a cron schedule of five fields, or never fires', schedule
            using errcode = 'invalid_parameter_value',
                hint = 'Give minute, hour, day of month, month and day of week (UTC), such as 0 5 * * 0 for Sundays at five.';
    elsif coalesce(backup, '') not in ('latest', 'oldest') then
        raise exception 'Cannot schedule drills of "%"', backup
            using errcode = 'invalid_parameter_value', hint = 'Choose latest or oldest.';
    elsif exists (select from backup.settings s where s.recipient is not null) then
        raise exception 'Backups are encrypted, so the project cannot drill them'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'On a machine with the key, run: supabase-backup drill --identity KEYFILE. docs/drill.yml does it on a schedule.';
    end if;
    return backup._schedule_job('backup-drill', schedule, format('select backup.drill(%L, %L)', backup, drill_bytes));
end;
$function$;

CREATE OR REPLACE FUNCTION backup.unschedule_drill()
  RETURNS boolean
  LANGUAGE sql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    select backup._unschedule_job('backup-drill');
$function$;

ALTER TABLE "backup"."calls"
  ADD CONSTRAINT "purpose_known" CHECK ((purpose = ANY (ARRAY['run'::text, 'copy'::text, 'alert'::text, 'restore'::text])));

ALTER TABLE "backup"."workers"
  ADD CONSTRAINT "purpose_known" CHECK ((purpose = ANY (ARRAY['run'::text, 'copy'::text, 'alert'::text, 'restore'::text])));

CREATE VIEW "backup"."contents" WITH (security_invoker=true) AS  SELECT l.name AS backup,
    l.started_at,
    t.schema,
    t.name AS "table",
    t.rows,
    t.raw_bytes
   FROM (backup.table_rows t
     JOIN backup.log l ON ((l.id = t.run_id)))
  WHERE ((l.status = 'succeeded'::text) AND (l.removed_at IS NULL));

COMMENT ON COLUMN "backup"."calls"."purpose" IS 'What the function is called for: run, copy, alert or restore. The token begins with it and is valid for nothing else.';

COMMENT ON COLUMN "backup"."peeks"."answered_at" IS 'When the function answered.';

COMMENT ON COLUMN "backup"."peeks"."asked_at" IS 'When it was asked.';

COMMENT ON COLUMN "backup"."peeks"."backup" IS 'The backup.';

COMMENT ON COLUMN "backup"."peeks"."error" IS 'Why there are none: code, message, hint.';

COMMENT ON COLUMN "backup"."peeks"."found" IS 'The rows, as objects of texts by column.';

COMMENT ON COLUMN "backup"."peeks"."id" IS 'Number of the question.';

COMMENT ON COLUMN "backup"."peeks"."name" IS 'The table.';

COMMENT ON COLUMN "backup"."peeks"."row_limit" IS 'Most rows wanted.';

COMMENT ON COLUMN "backup"."peeks"."schema" IS 'Schema of the table.';

COMMENT ON COLUMN "backup"."restores"."backup" IS 'The backup that is restored; of a command the file or folder.';

COMMENT ON COLUMN "backup"."restores"."create_again" IS 'Where living tables are gone: the statements of the backup that create them, with the rows of the copies. They run the tables'' own defaults, checks and triggers as you. Read them, then run them.';

COMMENT ON COLUMN "backup"."restores"."error_code" IS 'Why it failed: a word for programs.';

COMMENT ON COLUMN "backup"."restores"."error_hint" IS 'What to do about it.';

COMMENT ON COLUMN "backup"."restores"."error_message" IS 'Why it failed.';

COMMENT ON COLUMN "backup"."restores"."exceptions" IS 'What is not as in the backup: {entry, how or why, mend}. Empty when everything is.';

COMMENT ON COLUMN "backup"."restores"."failures" IS 'Failures in a row, after which it is tried again.';

COMMENT ON COLUMN "backup"."restores"."finished_at" IS 'When it ended, whatever its status.';

COMMENT ON COLUMN "backup"."restores"."id" IS 'Number of the restore.';

COMMENT ON COLUMN "backup"."restores"."insert_missing" IS 'Statements that insert the rows that the living tables lack, referenced tables first. Read them, then run them.';

COMMENT ON COLUMN "backup"."restores"."into_schema" IS 'The schema that the copies are in.';

COMMENT ON COLUMN "backup"."restores"."keys" IS 'Primary keys of the rows that are restored; null for all rows.';

COMMENT ON COLUMN "backup"."restores"."kind" IS 'table, rows or schema (a copy beside the living tables), drill (into a scratch database), or command (by the command line).';

COMMENT ON COLUMN "backup"."restores"."progress" IS 'What it is doing, in words.';

COMMENT ON COLUMN "backup"."restores"."progressed_at" IS 'When it last came further.';

COMMENT ON COLUMN "backup"."restores"."raw_bytes" IS 'COPY text read so far.';

COMMENT ON COLUMN "backup"."restores"."requested_at" IS 'When it was asked for.';

COMMENT ON COLUMN "backup"."restores"."retry_at" IS 'When it is tried again at the earliest.';

COMMENT ON COLUMN "backup"."restores"."rows" IS 'Rows restored so far.';

COMMENT ON COLUMN "backup"."restores"."see_differences" IS 'Queries that show what differs from the living tables.';

COMMENT ON COLUMN "backup"."restores"."started_at" IS 'When the function began.';

COMMENT ON COLUMN "backup"."restores"."state" IS 'Where the next invocation goes on; of interest to the function alone.';

COMMENT ON COLUMN "backup"."restores"."status" IS 'queued, running, cancelling, succeeded (see exceptions), failed or cancelled.';

COMMENT ON COLUMN "backup"."restores"."subject" IS 'The table (schema.table) or schema; null for everything.';

COMMENT ON COLUMN "backup"."restores"."target" IS 'Where it was restored to, in words; null for a copy beside.';

COMMENT ON COLUMN "backup"."restores"."update_changed" IS 'Statements that set changed rows to what they were. Read them, then run them.';

COMMENT ON COLUMN "backup"."workers"."purpose" IS 'run, copy, alert or restore. Several workers may share a run; the others have one at a time.';

COMMENT ON FUNCTION "backup"."_ask_restore"(text, text, text, text[], text) IS 'Records a restore and calls the function; returns its number.';

COMMENT ON FUNCTION "backup"."_count_restore_failure"(bigint, jsonb, boolean) IS 'Counts a failure of a restore, which is tried again, and from the second on after 10, 20, 40 … seconds. The sixth in a row, or a final one, ends it.';

COMMENT ON FUNCTION "backup"."_drill_room"(bigint) IS 'Returns {bytes, database_bytes}: how large a scratch database may become, and what the server''s databases have now.';

COMMENT ON FUNCTION "backup"."_drop_side_schema"(text) IS 'Drops the schema for copies where nothing is in it.';

COMMENT ON FUNCTION "backup"."_end_restore"(bigint, text, jsonb) IS 'Ends a restore as succeeded, failed (with {code, message, hint}) or cancelled.';

COMMENT ON FUNCTION "backup"."_find_backup"(text) IS 'Returns the run of a stored backup: latest, oldest (complete ones), or by name. Raises an error for one that is not there or encrypted.';

COMMENT ON FUNCTION "backup"."_find_table"(bigint, text) IS 'Returns schema and name of a table of a backup, from schema.table, not quoted. Raises an error for one that it does not have.';

COMMENT ON FUNCTION "backup"."_finish_restore"(uuid, bigint, text, jsonb, jsonb) IS 'Ends a restore for the worker that has the turn, with the statements that compare and merge. Raises BK002 when it was cancelled.';

COMMENT ON FUNCTION "backup"."_make_side_schema"(text) IS 'Creates the schema for copies, which only its owner can look into, and returns its name: the one wanted, or restored_YYYYMMDD with a number where that exists. One of an earlier restore is used again when it is wanted.';

COMMENT ON FUNCTION "backup"."_next_restore"(uuid) IS 'Returns the next task {action, id, backup, bucket, checksum, …}: peek, remove, restore or drill; null when nothing is left.';

COMMENT ON FUNCTION "backup"."_record_drill"(uuid, bigint, text, jsonb) IS 'Ends a drill with what was compared, [{what, outcome, detail}], and records an event where health has changed. Raises BK002 when it was cancelled.';

COMMENT ON FUNCTION "backup"."_record_peek"(uuid, bigint, jsonb, jsonb) IS 'Records the rows that were asked for, or why there are none.';

COMMENT ON FUNCTION "backup"."_record_restore_failure"(uuid, bigint, jsonb, boolean) IS 'Records a failure for the worker that has the turn.';

COMMENT ON FUNCTION "backup"."_record_restored"(uuid, bigint, bigint, bigint, jsonb, text, jsonb) IS 'Records how far a restore has come, in the transaction that holds the rows. Raises BK002 when it was cancelled.';

COMMENT ON FUNCTION "backup"."_register_restorer"(uuid) IS 'Takes the turn to restore and returns the settings; null when another worker has it or nothing is to be done. Counts the failure of a worker that died.';

COMMENT ON FUNCTION "backup"."_release_restorer"(uuid) IS 'Ends the turn to restore, and calls the next worker while something is left.';

COMMENT ON FUNCTION "backup"."_replace_table_counts"(bigint, jsonb) IS 'Stores the rows of each table [{schema, name, rows, rawBytes}] of a run, and forgets those of removed backups but the ten newest.';

COMMENT ON FUNCTION "backup"."_require_drill_bytes"(bigint) IS 'Raises an error for a scratch database that is too small.';

COMMENT ON FUNCTION "backup"."_restore_tasks"() IS 'Returns what is to be done now, most urgent first: peek at rows, remove what a cancelled restore made, restore beside, drill (not while a run is active), drop the scratch database of a drill that has ended.';

COMMENT ON FUNCTION "backup"."_restores_pending"() IS 'Returns what backup.watch() keeps looking for: restores that have not ended, questions without an answer, and a scratch database that was left behind.';

COMMENT ON FUNCTION "backup"."cancel_restore"(bigint) IS 'Cancels a restore or a drill that the project makes itself; returns false when it had ended before. What it made is removed.';

COMMENT ON FUNCTION "backup"."drill"(text, bigint) IS 'Restores a backup (latest, oldest or by name) into a scratch database of this server, compares everything, drops the database, and records the result in backup.drills. Returns the number in backup.restores: that of a drill under way, where there is one. drill_bytes is the most that the scratch database may have; by default a tenth of the database, 100 MB at least, as far as there is room.';

COMMENT ON FUNCTION "backup"."peek"(text, integer, text) IS 'Returns the first rows of a table in a backup. The first call only asks, because the database calls the function when the transaction commits; the same call a few seconds later returns the rows, as texts by column. Example: select * from backup.peek(''public.orders'', rows => 20)';

COMMENT ON FUNCTION "backup"."restore_rows"(text, text[], text, text) IS 'Restores the rows with these primary keys, as backup.restore_table() does. Example: select backup.restore_rows(''public.orders'', array[''17'', ''18''])';

COMMENT ON FUNCTION "backup"."restore_schema"(text, text, text) IS 'Restores all tables of a schema of a backup, as backup.restore_table() does. Example: select backup.restore_schema(''public'', backup => ''backup-20261122-030000'')';

COMMENT ON FUNCTION "backup"."restore_table"(text, text, text, text[]) IS 'Restores a table of a backup beside the living one, into the schema restored_YYYYMMDD or the one named, and returns the number of the restore in backup.restores. Nothing that exists is changed. Example: select backup.restore_table(''public.orders'')';

COMMENT ON FUNCTION "backup"."schedule_drill"(text, text, bigint) IS 'Drills the latest or the oldest backup on this cron schedule (UTC) from now on and returns the job''s number. Example: select backup.schedule_drill(''0 5 * * 0'')';

COMMENT ON FUNCTION "backup"."unschedule_drill"() IS 'Stops the scheduled drills; returns false when there were none.';

COMMENT ON FUNCTION "backup"."watch"() IS 'Calls the workers that are missing for the active run, for copies, restores and alerts, or ends the run with the reason. The job backup-watch runs it every minute while there is something to do.';

COMMENT ON TABLE "backup"."peeks" IS 'Rows of stored backups that backup.peek() has asked for; kept for an hour.';

COMMENT ON TABLE "backup"."restores" IS 'Restores: of tables beside the living ones, asked for in SQL; drills of the project itself; and what the command line restored into this database. select * from backup.restores order by id desc';

COMMENT ON TABLE "backup"."table_rows" IS 'Rows of each table in the backups that are stored, and in the ten newest that were removed.';

COMMENT ON VIEW "backup"."contents" IS 'What the stored backups hold: their tables with rows and bytes. select * from backup.contents where "table" = ''orders''';

REVOKE ALL ON FUNCTION "backup"."_ask_restore"(text, text, text, text[], text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_count_restore_failure"(bigint, jsonb, boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_drill_room"(bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_drop_side_schema"(text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_end_restore"(bigint, text, jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_find_backup"(text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_find_table"(bigint, text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_finish_restore"(uuid, bigint, text, jsonb, jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_make_side_schema"(text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_next_restore"(uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_record_drill"(uuid, bigint, text, jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_record_peek"(uuid, bigint, jsonb, jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_record_restore_failure"(uuid, bigint, jsonb, boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_record_restored"(uuid, bigint, bigint, bigint, jsonb, text, jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_register_restorer"(uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_release_restorer"(uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_require_drill_bytes"(bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_restore_tasks"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_restores_pending"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."cancel_restore"(bigint) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "backup"."cancel_restore"(bigint) TO "service_role";

REVOKE ALL ON FUNCTION "backup"."drill"(text, bigint) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "backup"."drill"(text, bigint) TO "service_role";

REVOKE ALL ON FUNCTION "backup"."peek"(text, integer, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "backup"."peek"(text, integer, text) TO "service_role";

REVOKE ALL ON FUNCTION "backup"."restore_rows"(text, text[], text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "backup"."restore_rows"(text, text[], text, text) TO "service_role";

REVOKE ALL ON FUNCTION "backup"."restore_schema"(text, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "backup"."restore_schema"(text, text, text) TO "service_role";

REVOKE ALL ON FUNCTION "backup"."restore_table"(text, text, text, text[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "backup"."restore_table"(text, text, text, text[]) TO "service_role";

REVOKE ALL ON FUNCTION "backup"."schedule_drill"(text, text, bigint) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "backup"."schedule_drill"(text, text, bigint) TO "service_role";

REVOKE ALL ON FUNCTION "backup"."unschedule_drill"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "backup"."unschedule_drill"() TO "service_role";

GRANT SELECT ON TABLE "backup"."restores" TO "service_role";

REVOKE ALL ON TABLE "backup"."table_rows" FROM "service_role";

GRANT SELECT ON TABLE "backup"."table_rows" TO "service_role";

GRANT SELECT ON TABLE "backup"."contents" TO "service_role";

comment on column backup.live_workers.id is 'The worker.';
comment on column backup.live_workers.purpose is 'run, copy, alert or restore.';
comment on column backup.live_workers.run_id is 'The run, or the backup that is being copied.';
comment on column backup.live_workers.role is 'In a run: plan, export or finish.';
comment on column backup.live_workers.snapshot is 'The snapshot that can be imported from it.';
comment on column backup.live_workers.held_at is 'When it began to hold the snapshot.';
comment on column backup.live_workers.progress is 'Its present work.';
comment on column backup.live_workers.working is 'False for one that waits to leave or whose lease expired.';

comment on column backup.contents.backup is 'Name of the backup.';
comment on column backup.contents.started_at is 'When its run began.';
comment on column backup.contents.schema is 'Schema of the table.';
comment on column backup.contents."table" is
    'The table; pg_largeobject_metadata in pg_catalog stands for all large objects.';
comment on column backup.contents.rows is 'Rows in the backup, counted by COPY itself.';
comment on column backup.contents.raw_bytes is 'COPY text before compression.';
