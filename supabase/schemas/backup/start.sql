-- Starts a backup and answers the run's number. The run is made here, the work is done by the function that is called
-- when this transaction commits. While a run is active, or nothing is configured, a manual start is refused with an error;
-- a scheduled one leaves a failed row in the log and answers null, since nobody reads what a cron job raises.
create function backup.start(trigger text default 'manual')
returns bigint
language plpgsql
-- service_role starts runs, but may not write the log, nor own the watch-dog's job.
security definer
set search_path = ''
as $$
declare
    run_id bigint;
    active backup.log;
    refusal jsonb;
begin
    if trigger is null or trigger not in ('scheduled', 'manual') then
        raise exception 'start refused: "%" is not a trigger', trigger
            using errcode = 'invalid_parameter_value', hint = 'Give scheduled or manual.';
    end if;
    perform backup._abandon();
    if (select s.function_url from backup.settings s) is null then
        refusal := jsonb_build_object(
            'code', 'not_configured',
            'message', 'backup not started: function_url is not configured',
            'hint', 'select backup.configure(function_url => ''https://<project-ref>.supabase.co/functions/v1/backup'')'
        );
    else
        begin
            insert into backup.log (name, trigger, settings)
            values (backup._free_name(), start.trigger, backup._settings_of_attempt())
            returning id into run_id;
        exception
            when unique_violation then
                -- The index over active runs; whoever was first is committed, since the insert waited for it.
                select l.* into active from backup.log l where l.finished_at is null;
                refusal := jsonb_build_object(
                    'code', 'run_active',
                    'message', format('backup not started: run %s (%s) is active', active.id, active.name),
                    'hint', format('Wait for it (select * from backup.log), or end it: select backup.cancel(%s)', active.id)
                );
        end;
    end if;
    if refusal is not null and trigger = 'manual' then
        raise exception '%', refusal ->> 'message'
            using errcode = 'object_not_in_prerequisite_state', hint = refusal ->> 'hint';
    elsif refusal is not null then
        insert into backup.log (name, trigger, settings, status, finished_at, error_code, error_message, error_hint)
        values (
            backup._free_name(), start.trigger, backup._settings_of_attempt(), 'failed', now(),
            refusal ->> 'code', refusal ->> 'message', refusal ->> 'hint'
        );
        -- What keeps the active run so long? Perhaps its watch-dog is gone.
        perform backup.watch();
        return null;
    end if;
    -- Of earlier runs the log row stays; what they needed while they ran goes.
    delete from backup.plans p using backup.log l where l.id = p.run_id and l.finished_at is not null;
    delete from backup.workers w using backup.log l where l.id = w.run_id and l.finished_at is not null;
    delete from backup.calls c using backup.log l where l.id = c.run_id and l.finished_at is not null;
    perform backup._watch_on();
    perform backup._steer(run_id);
    return run_id;
end;
$$;

revoke all on function backup.start from public;
grant execute on function backup.start to service_role;
comment on function backup.start is 'Starts a backup; answers the number of the run in backup.log.';

-- Ends an active run; answers false when it had ended before. Workers stop at their next sign of life.
create function backup.cancel(run_id bigint)
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
create function backup._free_name()
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

-- Fails an active run that is a leftover: no sign of life for a quarter of an hour, while the watch-dog would have dealt
-- with it in minutes. So it is in a database restored from a backup, which holds the row of the very run that made it.
create function backup._abandon()
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
            (select max(c.created_at) from backup.calls c where c.run_id = l.id)
        ) < clock_timestamp() - interval '15 minutes'
    for update;
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
