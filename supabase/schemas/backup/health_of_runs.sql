create or replace function backup._reason(code text, severity text, message text, hint text)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object('code', code, 'severity', severity, 'message', message, 'hint', hint);
$$;

comment on function backup._reason is
    'Returns a reason of backup.health: {code, severity, message, hint}. Severities are failing (there is, or '
    'soon will be, no backup to restore), warning (check it) and info.';

create or replace function backup._is_future(instant timestamptz)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select instant > now() + interval '1 hour';
$$;

comment on function backup._is_future is
    'Returns whether this instant was recorded by a clock that was wrong, so that it says nothing about an age.';

create or replace function backup._stored_backups()
returns table (id bigint, name text, started_at timestamptz, whole boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._platform_has('storage.objects') then
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
            sum(case when o.metadata ->> 'size' ~ '^[0-9]{1,18}$' then (o.metadata ->> 'size')::bigint end)
                filter (where o.name ~ '/[0-9]{5}\.dump(\.age)?$') as bytes
        from storage.objects o
        where o.bucket_id in (select r.settings ->> 'bucket' from backup.log r)
        group by 1, 2
    ) f on f.bucket_id = l.settings ->> 'bucket' and f.folder = l.name
    where l.status = 'succeeded' and l.removed_at is null
    order by backup._is_future(l.started_at), l.started_at desc;
end;
$$;

comment on function backup._stored_backups is
    'Returns the backups that the log has as verified and not removed, newest first. A backup begun in the future'
    ' comes last, or it would hide for as long that later ones are missing. whole says whether the bucket has the'
    ' manifest and all parts in their verified size; null where there is no Storage.';

create or replace function backup._check_runs(schedule text)
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Without a valid schedule, a week is assumed.
    wait interval := coalesce(backup._interval_of(schedule), interval '7 days');
    newest record;
    run backup.log;
    lost text;
begin
    select b.name, b.started_at into newest from backup._stored_backups() b where b.whole is not false limit 1;
    if not found then
        return next backup._reason(
            'no_backup', 'failing', 'No verified backup exists',
            'Run supabase-backup backup or select backup.start(). See earlier runs with: select * from backup.log order by started_at desc'
        );
    elsif backup._is_future(newest.started_at) then
        return next backup._reason(
            'clock_wrong', 'warning',
            format('The newest verified backup, %s, began in the future: the clock was or is wrong, so its age is unknown', newest.name),
            'Check the server''s clock (select now()), then make another backup: supabase-backup backup'
        );
    elsif newest.started_at < now() - wait - interval '1 day' then
        return next backup._reason(
            'late', 'failing',
            format(
                'The newest verified backup, %s, is %s days old, but the schedule makes one every %s',
                newest.name, extract(day from now() - newest.started_at), wait
            ),
            case
                when exists (select from backup.log l where l.trigger = 'scheduled' and l.started_at > newest.started_at) then
                    'The runs since then did not succeed: select * from backup.log order by started_at desc'
                else 'pg_cron has started none since then: select * from cron.job_run_details order by runid desc limit 20'
            end
        );
    end if;
    -- A start that was refused because another run was active says nothing, and a person who cancels a run knows it.
    select l.* into run
    from backup.log l
    where l.status in ('succeeded', 'failed') and l.error_code is distinct from 'run_active'
    order by backup._is_future(l.finished_at), l.finished_at desc, l.id desc
    limit 1;
    if run.status = 'failed' then
        return next backup._reason(
            'run_failed', 'failing',
            format('The last run, %s (%s), failed: %s', run.id, run.name, run.error_message),
            run.error_hint
        );
    end if;
    select l.* into run from backup.log l where l.finished_at is null;
    if run.progress ? 'problem' then
        return next backup._reason(
            'run_waits', 'warning',
            format('Run %s (%s) waits for the function: %s', run.id, run.name, run.progress #>> '{problem,message}'),
            run.progress #>> '{problem,hint}'
        );
    end if;
    if run.id is not null and greatest(run.heartbeat_at, run.started_at) < now() - interval '15 minutes' then
        return next backup._reason(
            'run_silent', 'failing',
            format('Run %s (%s) has sent no heartbeat since %s', run.id, run.name, greatest(run.heartbeat_at, run.started_at)),
            format('The daily check ends it. To end it now: select backup.cancel(%s)', run.id)
        );
    elsif run.id is null then
        -- While a run rotates, a backup may be removed from the bucket but not yet from the log.
        select string_agg(b.name, ', ') into lost from backup._stored_backups() b where not b.whole;
        if lost is not null then
            return next backup._reason(
                'backup_lost', 'warning',
                format('Backups in the log are missing from the bucket or incomplete: %s', lost),
                'Somebody or something else removes objects from the bucket. Run supabase-backup verify --backup NAME to see what is missing.'
            );
        end if;
    end if;
end;
$$;

comment on function backup._check_runs is
    'Checks that there is a good backup, that it is young enough for the schedule, and how the last run ended.';
