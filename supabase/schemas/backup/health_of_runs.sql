-- What backup.health finds, it says in reasons: {code, severity, message, hint}. Severities: `failing`: there is, or soon will be, no backup to go back to;
-- `warning`: a person should look; `info`: worth knowing, and no cause for alarm.
create or replace function backup._reason(code text, severity text, message text, hint text)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object('code', code, 'severity', severity, 'message', message, 'hint', hint);
$$;

revoke all on function backup._reason from public;
comment on function backup._reason is 'A reason of backup.health.';

-- Was the clock wrong then, or is it now? Either way this instant says nothing of an age.
create or replace function backup._is_future(instant timestamptz)
returns boolean
language sql
stable
set search_path = ''
as $$
    select instant > now() + interval '1 hour';
$$;

revoke all on function backup._is_future from public;
comment on function backup._is_future is 'Is this an instant of a clock that was wrong?';

-- Backups that the log has as verified and not removed, newest first; one that was begun in the future (the clock was wrong) comes last, or it would hide for as long
-- that later ones are missing. `whole`: the bucket has the manifest, and parts in the number and size that were verified;
-- null where there is no Storage to ask.
create or replace function backup._stored_backups()
returns table (id bigint, name text, started_at timestamptz, whole boolean)
language plpgsql
stable
set search_path = ''
as $$
begin
    if to_regclass('storage.objects') is null then
        return query
        select l.id, l.name, l.started_at, null::boolean
        from backup.log l
        where l.status = 'succeeded' and l.removed_at is null
        order by backup._is_future(l.started_at), l.started_at desc;
        return;
    end if;
    return query
    select l.id, l.name, l.started_at, coalesce(f.manifests = 1 and f.parts = l.parts and f.bytes = l.stored_bytes, false)
    from backup.log l
    left join (
        select
            o.bucket_id,
            split_part(o.name, '/', 1) as folder,
            count(*) filter (where o.name like '%/manifest.json') as manifests,
            count(*) filter (where o.name ~ '/[0-9]{5}\.dump(\.age)?$') as parts,
            sum((o.metadata ->> 'size')::bigint) filter (where o.name ~ '/[0-9]{5}\.dump(\.age)?$') as bytes
        from storage.objects o
        where o.bucket_id in (select r.settings ->> 'bucket' from backup.log r)
        group by 1, 2
    ) f on f.bucket_id = l.settings ->> 'bucket' and f.folder = l.name
    where l.status = 'succeeded' and l.removed_at is null
    order by backup._is_future(l.started_at), l.started_at desc;
end;
$$;

revoke all on function backup._stored_backups from public;
comment on function backup._stored_backups is 'Backups that should be in the bucket, and whether they are.';

-- Is there a good backup, is it young enough for the schedule, and how did the last run end?
create or replace function backup._look_at_runs(schedule text)
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    -- Without a schedule that can be read a week is meant.
    wait interval := coalesce(backup._longest_wait(schedule), interval '7 days');
    newest record;
    run backup.log;
    lost text;
begin
    select b.name, b.started_at into newest from backup._stored_backups() b where b.whole is not false limit 1;
    if not found then
        return next backup._reason(
            'no_backup', 'failing', 'there is no verified backup',
            'Make one: npm run backup, or select backup.start(). What went wrong so far: select * from backup.log order by started_at desc'
        );
    elsif backup._is_future(newest.started_at) then
        return next backup._reason(
            'clock_wrong', 'warning',
            format('the newest verified backup, %s, was begun in the future: the clock was wrong then, or is now, and its age is not known', newest.name),
            'Look at the server''s clock (select now()), then make another backup: npm run backup'
        );
    elsif newest.started_at < now() - wait - interval '1 day' then
        return next backup._reason(
            'late', 'failing',
            format(
                'the newest verified backup, %s, is %s days old; the schedule leaves at most %s between two',
                newest.name, extract(day from now() - newest.started_at), wait
            ),
            case
                when exists (select from backup.log l where l.trigger = 'scheduled' and l.started_at > newest.started_at) then
                    'The runs since then did not succeed: select * from backup.log order by started_at desc'
                else 'pg_cron has started none since: select * from cron.job_run_details order by runid desc limit 20'
            end
        );
    end if;
    -- A start that was refused because another run was active says nothing, and who cancels knows it.
    select l.* into run
    from backup.log l
    where l.status in ('succeeded', 'failed') and l.error_code is distinct from 'run_active'
    order by backup._is_future(l.finished_at), l.finished_at desc, l.id desc
    limit 1;
    if run.status = 'failed' then
        return next backup._reason(
            'run_failed', 'failing',
            format('the last run, %s (%s), failed: %s', run.id, run.name, run.error_message),
            run.error_hint
        );
    end if;
    select l.* into run from backup.log l where l.finished_at is null;
    if found and greatest(run.heartbeat_at, run.started_at) < now() - interval '15 minutes' then
        return next backup._reason(
            'run_silent', 'failing',
            format('run %s (%s) has given no sign of life since %s', run.id, run.name, greatest(run.heartbeat_at, run.started_at)),
            format('The daily check ends it, and so does select backup.cancel(%s).', run.id)
        );
    elsif not found then
        -- While a run rotates, a backup may be gone from the bucket and not yet from the log.
        select string_agg(b.name, ', ') into lost from backup._stored_backups() b where not b.whole;
        if lost is not null then
            return next backup._reason(
                'backup_lost', 'warning',
                format('the log has backups that the bucket has not, or not whole: %s', lost),
                'Somebody or something else removes objects from the bucket; npm run verify -- --backup NAME says what is missing.'
            );
        end if;
    end if;
end;
$$;

revoke all on function backup._look_at_runs from public;
comment on function backup._look_at_runs is 'Is there a good backup, is it young enough, and how did the last run end?';
