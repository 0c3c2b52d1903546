-- Starts a backup and answers the run's number. The run is made here, the work is done by the function that is called
-- when this transaction commits. A manual start that is refused, because a run is active or something is missing, raises an error;
-- a scheduled one leaves a failed row in the log and answers null, whatever the error, since nobody reads what a cron job raises.
create or replace function backup.start(trigger text default 'manual')
returns bigint
language plpgsql
-- service_role starts runs, but may not write the log, nor own the watch-dog's job.
security definer
set search_path = ''
as $$
declare
    code text;
    message text;
    hint text;
begin
    if trigger is null or trigger not in ('scheduled', 'manual') then
        raise exception 'start refused: "%" is not a trigger', trigger
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
        backup._free_name(), start.trigger, '{}', 'failed', clock_timestamp(),
        -- Our own errors have their code as detail, others have a sentence or nothing.
        case when code ~ '^[a-z_]+$' then code else 'internal' end,
        message,
        nullif(hint, '')
    );
    -- What keeps the active run so long? Perhaps its watch-dog is gone.
    if exists (select from backup.log l where l.finished_at is null) then
        perform backup._watch_on();
    end if;
    return null;
end;
$$;

revoke all on function backup.start from public;
grant execute on function backup.start to service_role;
comment on function backup.start is 'Starts a backup; answers the number of the run in backup.log.';

-- Starts, and the watch-dog's going to sleep, happen one after another: a second start sees the first one's run, has another name,
-- and does not lose its watch-dog.
create or replace function backup._lock_starts()
returns void
language sql
set search_path = ''
as $$
    select pg_advisory_xact_lock(hashtext('backup.start'));
$$;

revoke all on function backup._lock_starts from public;
comment on function backup._lock_starts is 'Makes starts wait for each other.';

-- Makes the run and calls the function. Raises what stands in the way, with its code for the log as detail.
create or replace function backup._begin_run(trigger text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    active backup.log;
    new_run bigint;
begin
    perform backup._abandon();
    select l.* into active from backup.log l where l.finished_at is null;
    if found then
        raise exception 'run % (%) is active', active.id, active.name
            using errcode = 'object_not_in_prerequisite_state',
                detail = 'run_active',
                hint = format('Wait for it (select * from backup.log), or end it: select backup.cancel(%s)', active.id);
    end if;
    perform backup._require_function();
    insert into backup.log (name, trigger, settings)
    values (backup._free_name(), _begin_run.trigger, backup._settings_of_attempt())
    returning id into new_run;
    -- Of earlier runs the log row stays; what they needed while they ran goes.
    delete from backup.plans p where p.run_id <> new_run;
    delete from backup.workers w where w.run_id <> new_run;
    delete from backup.calls c where c.run_id <> new_run;
    perform backup._watch_on();
    perform backup._steer(new_run);
    return new_run;
end;
$$;

revoke all on function backup._begin_run from public;
comment on function backup._begin_run is 'Makes a run and calls the function.';

-- Ends an active run; answers false when it had ended before. Workers stop at their next sign of life.
create or replace function backup.cancel(run_id bigint)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    if run.finished_at is not null then
        return false;
    end if;
    perform backup._end_run(run, 'cancelled', jsonb_build_object(
        'code', 'cancelled', 'message', format('run %s was cancelled', run_id), 'hint', 'select backup.start() begins a new run.'
    ));
    return true;
end;
$$;

revoke all on function backup.cancel from public;
grant execute on function backup.cancel to service_role;
comment on function backup.cancel is 'Ends an active run; false when it had ended before.';

-- A folder name that no run has had: the time in UTC, a second later for the second start within a second.
create or replace function backup._free_name()
returns text
language sql
volatile
set search_path = ''
as $$
    select 'backup-' || stamp
    from generate_series(0, 3600) later,
        to_char(clock_timestamp() at time zone 'UTC' + make_interval(secs => later), 'YYYYMMDD-HH24MISS') stamp
    where not exists (select from backup.log l where l.name like 'backup-' || stamp || '%')
    order by later
    limit 1;
$$;

revoke all on function backup._free_name from public;
comment on function backup._free_name is 'A name for a new run.';

-- Fails an active run that is a leftover: all leases ran out a quarter of an hour ago, while the watch-dog would have dealt
-- with it in minutes. So it is in a database restored from a backup, which holds the row of the very run that made it.
create or replace function backup._abandon()
returns void
language plpgsql
set search_path = ''
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
            'message', 'no worker and no watch-dog has dealt with the run for a quarter of an hour',
            'hint', 'Check pg_cron: the watch-dog is its job backup-watch. A run in a restored database ends this way too.'
        ));
    end if;
end;
$$;

revoke all on function backup._abandon from public;
comment on function backup._abandon is 'Fails an active run that nothing has dealt with for long.';
