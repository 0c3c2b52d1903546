create or replace function backup.start(trigger text default 'manual')
returns bigint
language plpgsql
-- service_role may start runs, but neither write the log nor own the job.
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    code text;
    message text;
    hint text;
begin
    if trigger is null or trigger not in ('scheduled', 'manual') then
        raise exception 'Invalid trigger "%"', trigger
            using errcode = 'invalid_parameter_value', hint = 'Give scheduled or manual.';
    end if;
    perform backup._lock_starts();
    if trigger = 'manual' then
        return backup._begin_run(trigger);
    end if;
    begin
        return backup._begin_run(trigger);
    exception
        when others then
            get stacked diagnostics code = pg_exception_detail, message = message_text, hint = pg_exception_hint;
    end;
    insert into backup.log (name, trigger, settings, status, finished_at, error_code, error_message, error_hint)
    values (
        backup._new_name(), start.trigger, '{}', 'failed', clock_timestamp(),
        -- Our own errors have a code as their detail; others have a sentence or nothing.
        case when code ~ '^[a-z_]+$' then code else 'internal' end,
        message,
        nullif(hint, '')
    );
    -- The active run may have lost the job that watches it.
    if exists (select from backup.log l where l.finished_at is null) then
        perform backup._keep_watching(true);
    end if;
    return null;
end;
$$;

comment on function backup.start is
    'Starts a backup and returns the number of its run in backup.log. The function does the work and is called '
    'when this transaction commits. A manual start that is refused raises an error; a scheduled one records a '
    'failed run and returns null, because nobody reads the errors of a cron job.';

create or replace function backup._lock_starts()
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    -- Only the owner can take this lock, which does not block reads or writes. Any role could hold an advisory lock
    -- for ever.
    lock table backup.log in share update exclusive mode;
$$;

comment on function backup._lock_starts is
    'Makes starts and backup.watch() wait for each other: a second start sees the first one''s run, and a run '
    'that starts keeps the job backup-watch.';

create or replace function backup._begin_run(trigger text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    active backup.log;
    public_bucket jsonb;
    new_run bigint;
begin
    perform backup._fail_abandoned_run();
    select l.* into active from backup.log l where l.finished_at is null;
    if found then
        raise exception 'Cannot start a backup: run % (%) is active', active.id, active.name
            using errcode = 'object_not_in_prerequisite_state',
                detail = 'run_active',
                hint = format('Wait for it (select * from backup.log), or end it with: select backup.cancel(%s)', active.id);
    end if;
    perform backup._require_function();
    public_bucket := (select backup._public_bucket(s.bucket) from backup.settings s);
    if public_bucket is not null then
        raise exception '%', public_bucket ->> 'message'
            using errcode = 'object_not_in_prerequisite_state', detail = 'bucket_public', hint = public_bucket ->> 'hint';
    end if;
    insert into backup.log (name, trigger, settings)
    values (backup._new_name(), _begin_run.trigger, backup._settings_of_attempt())
    returning id into new_run;
    -- Of earlier runs only the log row stays.
    delete from backup.plans p where p.run_id <> new_run;
    delete from backup.workers w where w.purpose = 'run' and w.run_id <> new_run;
    delete from backup.calls c where c.run_id <> new_run;
    perform backup._keep_watching(true);
    perform backup._reconcile_run(new_run);
    return new_run;
end;
$$;

comment on function backup._begin_run is
    'Creates a run and calls the function. Raises what stands in the way; the error''s detail is the code for the'
    ' log.';

create or replace function backup.cancel(run_id bigint)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    if run.finished_at is not null then
        return false;
    end if;
    perform backup._end_run(run, 'cancelled', jsonb_build_object(
        'code', 'cancelled', 'message', format('Run %s was cancelled', run_id), 'hint', 'Start a new run with: select backup.start()'
    ));
    return true;
end;
$$;

comment on function backup.cancel is
    'Cancels an active run; returns false when it had ended before. Its workers stop at their next heartbeat.';

create or replace function backup._new_name()
returns text
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select 'backup-' || stamp
    from generate_series(0, 3600) later,
        to_char(clock_timestamp() at time zone 'UTC' + make_interval(secs => later), 'YYYYMMDD-HH24MISS') stamp
    where not exists (select from backup.log l where l.name like 'backup-' || stamp || '%')
    order by later
    limit 1;
$$;

comment on function backup._new_name is
    'Returns a folder name that no run has had: the time in UTC, a second later for the second start within a '
    'second.';

create or replace function backup._fail_abandoned_run()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log;
begin
    select l.* into run
    from backup.log l
    where l.finished_at is null
        and greatest(
            l.heartbeat_at,
            l.started_at,
            (select max(w.lease_until) from backup.workers w where w.run_id = l.id),
            (select max(c.created_at) from backup.calls c where c.run_id = l.id)
        ) < clock_timestamp() - interval '15 minutes'
    for update of l;
    if found then
        perform backup._end_run(run, 'failed', jsonb_build_object(
            'code', 'abandoned',
            'message', 'No worker was active in the run for a quarter of an hour',
            'hint', 'Check pg_cron: its job backup-watch should have ended the run. A run in a restored database ends this way too.'
        ));
    end if;
end;
$$;

comment on function backup._fail_abandoned_run is
    'Fails an active run that nobody has worked on for a quarter of an hour, which backup.watch() would have '
    'dealt with in minutes. A restored database holds such a run: the one that made the backup.';
