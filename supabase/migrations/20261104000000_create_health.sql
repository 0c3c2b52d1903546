-- Health, the daily check and the rebuilding of the log: files of schemas/backup/ in the order of config.toml.

-- Rows of each table in each of the newest backups: what tells a table that came back empty.
create table if not exists backup.table_rows (
    run_id bigint not null references backup.log (id) on delete cascade,
    schema text not null,
    name text not null,
    rows bigint not null,
    raw_bytes bigint not null,

    primary key (run_id, schema, name),
    constraint counted check (rows >= 0 and raw_bytes >= 0)
);

-- No policies: should the schema ever be exposed, the API's roles still see nothing.
alter table backup.table_rows enable row level security;

comment on table backup.table_rows is 'Rows of each table in the newest ten backups, as their manifests have them.';
comment on column backup.table_rows.run_id is 'The run.';
comment on column backup.table_rows.schema is 'Schema of the table.';
comment on column backup.table_rows.name is 'The table.';
comment on column backup.table_rows.rows is 'Rows in the backup, counted by COPY itself.';
comment on column backup.table_rows.raw_bytes is 'COPY text before compression.';

-- Keeps what a run has counted, and forgets what is older than the newest ten. `tables` is [{schema, name, rows, rawBytes}].
create or replace function backup._keep_table_rows(run_id bigint, tables jsonb)
returns void
language sql
set search_path = ''
as $$
    delete from backup.table_rows t where t.run_id = _keep_table_rows.run_id;
    insert into backup.table_rows (run_id, schema, name, rows, raw_bytes)
    select _keep_table_rows.run_id, t.schema, t.name, t.rows, t."rawBytes"
    from jsonb_to_recordset(tables) t (schema text, name text, rows bigint, "rawBytes" bigint);
    delete from backup.table_rows t
    where t.run_id in (
        select l.id
        from backup.log l
        where exists (select from backup.table_rows o where o.run_id = l.id)
        order by l.started_at desc
        offset 10
    );
$$;

revoke all on function backup._keep_table_rows from public;
comment on function backup._keep_table_rows is 'Keeps the rows of each table in a backup.';

-- The finisher tells what each table has; it may do so again. Raises BK001 for anybody else.
create or replace function backup._tables(run_id bigint, worker uuid, tables jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    perform backup._require_finisher(run, worker);
    perform backup._keep_table_rows(run.id, tables);
end;
$$;

revoke all on function backup._tables from public;
comment on function backup._tables is 'The finisher tells what each table has.';

-- The values that one field of a cron schedule stands for. The schedule is one that backup.is_schedule() takes.
create or replace function backup._field_values(field text, low integer, high integer, names text[])
returns integer[]
language sql
immutable
set search_path = ''
as $$
    select array_agg(distinct value order by value)
    from string_to_table(field, ',') item,
        regexp_match(item, '^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/([0-9]+))?$') part,
        generate_series(
            case when part[1] = '*' then low else coalesce(low - 1 + array_position(names, part[1]), part[1]::integer) end,
            case
                when part[1] = '*' then high
                else coalesce(low - 1 + array_position(names, coalesce(part[2], part[1])), coalesce(part[2], part[1])::integer)
            end,
            coalesce(part[3]::integer, 1)
        ) value;
$$;

revoke all on function backup._field_values from public;
comment on function backup._field_values is 'The values that one field of a cron schedule stands for.';

-- The longest time that a cron schedule leaves between two of its instants, so that being late can be told from not being due. Null for what is
-- no schedule of five fields, and for one that never comes (February the 30th). Looks at nine years, which hold leap days of two kinds.
create or replace function backup._longest_wait(schedule text)
returns interval
language plpgsql
immutable
set search_path = ''
as $$
declare
    fields text[] := regexp_split_to_array(lower(btrim(schedule, ' ')), ' +');
    times integer[];
    month_days integer[];
    months integer[];
    week_days integer[];
    either boolean;
    within_day integer;
    between_days integer;
begin
    if not backup.is_schedule(schedule) then
        return null;
    end if;
    select array_agg(hour * 60 + minute order by hour, minute) into times
    from unnest(backup._field_values(fields[2], 0, 23, '{}')) hour, unnest(backup._field_values(fields[1], 0, 59, '{}')) minute;
    month_days := backup._field_values(fields[3], 1, 31, '{}');
    months := backup._field_values(fields[4], 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}');
    week_days := backup._field_values(fields[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}');
    -- As in cron: where both fields restrict the day, one of them is enough.
    either := fields[3] not like '*%' and fields[5] not like '*%';
    select coalesce(max(gap), 0) into within_day
    from (select time - lag(time) over (order by time) as gap from unnest(times) time) gaps;
    select max(gap) into between_days
    from (
        select day - lag(day) over (order by day) as gap
        from (select date '2023-06-01' + n as day from generate_series(0, 3300) n) days,
            lateral (
                select
                    extract(day from day)::integer = any (month_days) as by_month,
                    extract(dow from day)::integer = any (week_days) or extract(isodow from day)::integer = any (week_days) as by_week
            ) fits
        where extract(month from day)::integer = any (months)
            and case when either then by_month or by_week else by_month and by_week end
    ) gaps;
    -- No second instant, no wait: greatest() would look past the null.
    if between_days is null then
        return null;
    end if;
    return justify_hours(make_interval(
        mins => greatest(within_day, between_days * 1440 - (times[cardinality(times)] - times[1]))
    ));
end;
$$;

revoke all on function backup._longest_wait from public;
comment on function backup._longest_wait is 'The longest time between two instants of a cron schedule; null when it never comes.';

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

-- Did something vanish from the backups? The newest is compared with the up to four before it, with the median of each figure: one odd backup among them
-- decides nothing, and a loss is told until three backups have it. Small tables come and go; below ten rows (a hundred, where half are gone) nothing is said.
create or replace function backup._look_at_shrinkage()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
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
            'If nobody meant to delete so much, keep an older backup now: select backup.pin(name). See docs/operations.md for the way back.'
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
        -- A table that only some of them have is no loss.
        having count(*) = (select count(distinct c.run_id) from backup.table_rows c where c.run_id = any (earlier))
    ) u
    left join backup.table_rows t on t.run_id = newest.id and t.schema = u.schema and t.name = u.name
    where u.rows >= 10 and coalesce(t.rows, 0) = 0 or u.rows >= 100 and t.rows * 2 < u.rows;
    if tables is not null then
        return next backup._reason(
            'tables_shrank', 'warning',
            format('%s tables of %s lost their rows, or half of them: %s', cardinality(tables), newest.name, array_to_string(tables[1:5], ', '))
                || case when cardinality(tables) > 5 then ', …' else '' end,
            'If nobody meant to, keep an older backup now: select backup.pin(name). npm run restore -- --table takes single tables back.'
        );
    end if;
end;
$$;

revoke all on function backup._look_at_shrinkage from public;
comment on function backup._look_at_shrinkage is 'Did rows vanish from the newest backup?';

-- Was a backup ever restored, to see whether it can be? A new project has a month for its first drill.
create or replace function backup._look_at_drills()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    drill backup.drills;
    hint constant text := 'npm run drill restores the newest backup into a scratch database and compares; docs/drill.yml does it by the clock.';
    since timestamptz := (select min(l.started_at) from backup.log l where l.status = 'succeeded');
begin
    select d.* into drill from backup.drills d order by d.started_at desc limit 1;
    if drill.failed > 0 then
        return next backup._reason(
            'drill_failed', 'failing',
            format('the drill of %s on %s found %s failures', drill.name, drill.started_at::date, drill.failed),
            'select checks from backup.drills order by started_at desc limit 1'
        );
    elsif drill.id is null and since is not null then
        return next backup._reason(
            'never_drilled', case when since < now() - interval '30 days' then 'warning' else 'info' end,
            'no backup was ever restored to see whether it can be', hint
        );
    elsif drill.started_at < now() - interval '100 days' then
        return next backup._reason(
            'drill_old', 'warning', format('the last drill was %s days ago', extract(day from now() - drill.started_at)), hint
        );
    end if;
end;
$$;

revoke all on function backup._look_at_drills from public;
comment on function backup._look_at_drills is 'Was a backup ever restored, to see whether it can be?';

-- The schedule of the job that starts backups; null when there is none.
create or replace function backup._weekly_schedule()
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    if to_regclass('cron.job') is null then
        return null;
    end if;
    return (select j.schedule from cron.job j where j.jobname = 'backup-weekly' and j.database = current_database() order by j.active desc limit 1);
end;
$$;

revoke all on function backup._weekly_schedule from public;
comment on function backup._weekly_schedule is 'The schedule of the job that starts backups.';

-- Will the next backup be started at all?
create or replace function backup._look_at_jobs()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    job record;
    details record;
    schedule_again constant text := 'select backup.schedule(''0 3 * * 0'') sets it right: Sundays at three, UTC.';
begin
    if to_regclass('cron.job') is null then
        return next backup._reason(
            'cron_missing', 'failing', 'pg_cron is not installed: nothing starts backups by the clock, and nothing watches over them',
            'Turn pg_cron on under Integrations in the dashboard, then: select backup.schedule(''0 3 * * 0''); select backup.schedule_check()'
        );
        return;
    end if;
    select j.* into job from cron.job j where j.jobname = 'backup-weekly' and j.database = current_database() order by j.active desc limit 1;
    if not found then
        return next backup._reason('job_missing', 'failing', 'no job starts backups: backup-weekly is not in cron.job', schedule_again);
    elsif not job.active then
        return next backup._reason(
            'job_inactive', 'failing', 'the job that starts backups is switched off', format('select cron.alter_job(%s, active := true)', job.jobid)
        );
    elsif job.command !~ 'backup\.start\(' then
        return next backup._reason(
            'job_changed', 'failing', format('the job backup-weekly does something else: %s', left(job.command, 100)), schedule_again
        );
    elsif backup._longest_wait(job.schedule) is null then
        return next backup._reason(
            'schedule_unclear', 'warning', format('the schedule "%s" of the job backup-weekly never comes, or is none of five fields', job.schedule), schedule_again
        );
    end if;
    if job.jobid is not null and to_regclass('cron.job_run_details') is not null then
        select d.status, d.return_message into details
        from cron.job_run_details d
        where d.jobid = job.jobid and d.status in ('succeeded', 'failed')
        order by d.runid desc
        limit 1;
        if details.status = 'failed' then
            return next backup._reason(
                'job_failed', 'failing', format('pg_cron could not run the job backup-weekly: %s', left(details.return_message, 200)),
                'select * from cron.job_run_details order by runid desc limit 20'
            );
        end if;
    end if;
    select j.* into job from cron.job j where j.jobname = 'backup-daily' and j.database = current_database() order by j.active desc limit 1;
    if not coalesce(job.active, false) then
        return next backup._reason(
            'check_missing', 'warning', 'nothing looks after the backups daily: the job backup-daily is missing or switched off', 'select backup.schedule_check()'
        );
    elsif (select max(e.seen_at) from backup.events e) < now() - interval '50 hours' then
        return next backup._reason(
            'check_silent', 'warning',
            format('the daily check was last made %s', (select max(e.seen_at) from backup.events e)),
            'pg_cron does not run it: select * from cron.job_run_details order by runid desc limit 20'
        );
    end if;
end;
$$;

revoke all on function backup._look_at_jobs from public;
comment on function backup._look_at_jobs is 'Will the next backup be started?';

-- Can a run reach the function, and the bucket take what it brings?
create or replace function backup._look_at_ways()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    settings backup.settings;
    bucket record;
    waiting bigint;
    stored bigint;
begin
    -- A session may ask for that itself; the server and the database, for everybody.
    if pg_is_in_recovery() or exists (
        select from pg_settings s
        where s.name = 'default_transaction_read_only' and s.setting = 'on' and s.source in ('configuration file', 'command line', 'database')
    ) then
        return next backup._reason(
            'database_read_only', 'failing', 'the database takes no writes: no backup can start, and none can end',
            'Supabase does so when the disk is nearly full: make room or take a larger disk (Settings, Database), and see its guide on read-only mode.'
        );
    end if;
    select s.* into settings from backup.settings s;
    if settings.function_url is null then
        return next backup._reason(
            'not_configured', 'failing', 'function_url is not set: no backup can start',
            'select backup.configure(function_url => ''https://<project-ref>.supabase.co/functions/v1/backup'')'
        );
    end if;
    if to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null then
        return next backup._reason(
            'net_missing', 'failing', 'pg_net is not installed: nothing can call the function', 'Turn pg_net on under Integrations in the dashboard.'
        );
    else
        -- More than the worker takes in one batch.
        select count(*) into waiting from net.http_request_queue;
        if waiting > 200 then
            return next backup._reason(
                'net_stuck', 'warning', format('%s requests wait in pg_net''s queue', waiting),
                'If they do not become fewer: select net.worker_restart()'
            );
        end if;
    end if;
    if to_regclass('storage.buckets') is null then
        return next backup._reason('storage_missing', 'failing', 'there is no Storage in this database', 'Backups need Supabase Storage.');
        return;
    end if;
    select b.public, b.file_size_limit into bucket from storage.buckets b where b.id = settings.bucket;
    if not found then
        return next backup._reason(
            'bucket_missing', 'failing', format('there is no bucket "%s"', settings.bucket),
            'Create it, private: the migration create_backups_bucket does.'
        );
    elsif bucket.public then
        return next backup._reason(
            'bucket_public', 'failing', format('the bucket "%s" is public: whoever guesses a name downloads the whole database', settings.bucket),
            format('update storage.buckets set public = false where id = %L', settings.bucket)
        );
    elsif bucket.file_size_limit < settings.part_bytes then
        return next backup._reason(
            'bucket_limit', 'failing',
            format('the bucket takes files of %s bytes, parts have up to %s', bucket.file_size_limit, settings.part_bytes),
            format('select backup.configure(part_bytes => %s), or raise the limit of the bucket', bucket.file_size_limit)
        );
    end if;
    select sum((o.metadata ->> 'size')::bigint) into stored from storage.objects o where o.bucket_id = settings.bucket;
    if stored > 800000000 then
        return next backup._reason(
            'space', 'info', format('the backups take %s MB of Storage; the free plan has 1 GB for everything', round(stored / 1e6)),
            'select backup.configure(keep_scheduled => 2) keeps fewer; npm run prune removes at once.'
        );
    end if;
end;
$$;

revoke all on function backup._look_at_ways from public;
comment on function backup._look_at_ways is 'Can a run reach the function, and the bucket take what it brings?';

-- Settings that are allowed and weaken backups.
create or replace function backup._look_at_settings()
returns setof jsonb
language sql
stable
set search_path = ''
as $$
    select backup._reason(rule.code, 'warning', rule.message, rule.hint)
    from backup.settings s,
        lateral (
            values
                (
                    s.keep_scheduled + s.keep_weekly + s.keep_monthly + s.keep_yearly < 2, 'keeps_one',
                    'only one scheduled backup is kept: what went wrong before it was made cannot be taken back',
                    'select backup.configure(keep_scheduled => 4)'
                ),
                (
                    s.lock_timeout_ms > 100000, 'lock_timeout_long',
                    format('a backup waits %s s for a locked table; an invocation on the free plan ends after 150 s', s.lock_timeout_ms / 1000),
                    'select backup.configure(lock_timeout_ms => 10000)'
                ),
                (
                    s.max_attempts = 1, 'one_attempt', 'a run has one attempt: a single restart of a worker ends it',
                    'select backup.configure(max_attempts => 3)'
                ),
                (
                    s.lease_seconds > 600, 'lease_long', format('a worker that hangs is noticed after %s s only', s.lease_seconds),
                    'select backup.configure(lease_seconds => 60)'
                ),
                (
                    s.budget_halvings >= 3, 'workers_die', format('workers died of their limits; budgets were halved %s times', s.budget_halvings),
                    'See the logs of the function for limits of CPU or memory; select attempts from backup.log has what each attempt ended with.'
                )
        ) rule (broken, code, message, hint)
    where rule.broken;
$$;

revoke all on function backup._look_at_settings from public;
comment on function backup._look_at_settings is 'Settings that are allowed and weaken backups.';

-- What was noticed at the end of a run or by the daily check: one row a change, not one a look. The newest row is the present state.
create table if not exists backup.events (
    id bigint generated always as identity primary key,
    noticed_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    verdict text not null,
    previous_verdict text,
    reasons jsonb not null,

    constraint verdict_known check (verdict in ('ok', 'warning', 'failing'))
);

-- No policies: should the schema ever be exposed, the API's roles still see nothing.
alter table backup.events enable row level security;

grant select on backup.events to service_role;

comment on table backup.events is 'What was noticed, one row a change. select * from backup.events order by id desc';
comment on column backup.events.id is 'Number of the event.';
comment on column backup.events.noticed_at is 'When it was noticed first.';
comment on column backup.events.seen_at is 'When it was last seen unchanged.';
comment on column backup.events.verdict is 'ok, warning or failing; ok after another one is a recovery.';
comment on column backup.events.previous_verdict is 'What it was before; null for the first check.';
comment on column backup.events.reasons is 'The reasons of that moment: code, severity, message, hint.';

-- Who can be told of events, and what was told. The addresses and keys of the channels are secrets of the function and never come here: it
-- reports their names, whenever it plans a run or is called for alerts.
create table if not exists backup.channels (
    name text primary key,
    state text not null,
    problem text,
    since timestamptz not null default clock_timestamp(),
    reported_at timestamptz not null default clock_timestamp(),

    constraint state_known check (state in ('on', 'off', 'wrong')),
    constraint problem_when_wrong check ((state = 'wrong') = (problem is not null))
);

-- No policies: should the schema ever be exposed, the API's roles still see nothing.
alter table backup.channels enable row level security;

grant select on backup.channels to service_role;

comment on table backup.channels is 'Channels for alerts and pings, as the function last reported them.';
comment on column backup.channels.name is 'webhook, slack, discord, teams, email or ping.';
comment on column backup.channels.state is 'on, off (its variables are not set) or wrong (they are, and cannot be used).';
comment on column backup.channels.problem is 'What is wrong, without any secret.';
comment on column backup.channels.since is 'When it came into this state: older events are not told to a new channel.';
comment on column backup.channels.reported_at is 'When the function last said so.';

-- One row an attempt. That an event is told once on each channel follows from this table alone.
create table if not exists backup.alerts (
    id bigint generated always as identity primary key,
    event_id bigint references backup.events (id) on delete cascade,
    channel text not null,
    attempt integer not null,
    made_at timestamptz not null default clock_timestamp(),
    outcome text not null,
    status integer,
    error text,
    milliseconds integer not null,

    constraint outcome_known check (outcome in ('sent', 'failed')),
    constraint failure_has_error check ((outcome = 'failed') = (error is not null))
);

create index if not exists alerts_of_event on backup.alerts (event_id, channel);
create index if not exists alerts_of_channel on backup.alerts (channel, made_at);

alter table backup.alerts enable row level security;

grant select on backup.alerts to service_role;

comment on table backup.alerts is 'Attempts to tell somebody of an event. select * from backup.alerts order by id desc';
comment on column backup.alerts.id is 'Number of the attempt.';
comment on column backup.alerts.event_id is 'The event of backup.events; null for a test (npm run alert:test).';
comment on column backup.alerts.channel is 'The channel''s name.';
comment on column backup.alerts.attempt is 'Which attempt in a row this was; after a success they count anew.';
comment on column backup.alerts.made_at is 'When it was recorded.';
comment on column backup.alerts.outcome is 'sent (the receiver answered 2xx) or failed.';
comment on column backup.alerts.status is 'HTTP status of the answer; null when there was none.';
comment on column backup.alerts.error is 'Why it failed, without any secret.';
comment on column backup.alerts.milliseconds is 'How long it took.';

-- Would anybody be told?
create or replace function backup._look_at_alerts()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    channel record;
    since timestamptz;
begin
    if not exists (select from backup.channels c where c.state <> 'off') then
        return next backup._reason(
            'no_alerts', 'info', 'no channel for alerts is set up, and no ping: of a failure learns only who asks',
            'docs/alerts.md sets one up in two lines; npm run alert:test tries it.'
        );
    end if;
    for channel in select c.name, c.problem from backup.channels c where c.state = 'wrong' order by c.name loop
        return next backup._reason(
            'channel_wrong', 'warning', format('the channel %s for alerts cannot be used: %s', channel.name, channel.problem),
            'supabase secrets set NAME=value, as in docs/alerts.md; then: npm run alert:test'
        );
    end loop;
    -- An hour of failures is no hiccup. Any success since then, a test too, clears it.
    for channel in
        select c.name, failed.first_at, failed.last_error
        from backup.channels c
        cross join lateral (
            select min(a.made_at) as first_at, (array_agg(a.error order by a.id desc))[1] as last_error
            from backup.alerts a
            where a.channel = c.name
                and a.outcome = 'failed'
                and a.made_at > greatest(c.since, (select max(s.made_at) from backup.alerts s where s.channel = c.name and s.outcome = 'sent'))
        ) failed
        where c.state = 'on' and failed.first_at < now() - interval '1 hour'
        order by c.name
    loop
        return next backup._reason(
            'alerts_fail', 'warning',
            format('the channel %s has taken no alert since %s: %s', channel.name, date_trunc('second', channel.first_at), channel.last_error),
            'npm run alert:test shows what it answers now.'
        );
    end loop;
    select min(c.created_at) into since
    from backup.calls c
    where c.run_id is null and c.created_at > coalesce((select max(r.reported_at) from backup.channels r), '-infinity');
    if since < now() - interval '1 hour' then
        return next backup._reason(
            'function_silent', 'warning', format('the function has not answered the calls for alerts since %s', date_trunc('second', since)),
            'Check that it is deployed and see its logs; what pg_net saw: select * from net._http_response order by id desc limit 5'
        );
    end if;
end;
$$;

revoke all on function backup._look_at_alerts from public;
comment on function backup._look_at_alerts is 'Would anybody be told?';

-- Is there a second copy, outside the project? That there is none is a warning until somebody decides otherwise: a backup that is lost with its project is half a backup.
create or replace function backup._look_at_copies()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    wanted text := (select s.second_copy from backup.settings s);
    newest record;
    kept record;
begin
    if wanted is null or wanted = 'none' then
        return next backup._reason(
            'one_copy', case when wanted = 'none' then 'info' else 'warning' end,
            'the backups are in the project that they back up, and are lost with it',
            case
                when wanted = 'none' then 'docs/second-copy.md sends each of them to a bucket elsewhere.'
                else 'docs/second-copy.md: a bucket elsewhere takes them too. Who does without says so: select backup.configure(second_copy => ''none'')'
            end
        );
        return;
    end if;
    select l.name, l.finished_at, c.verified_at, c.failures, c.error, c.files_at, c.files_left into newest
    from backup.log l
    left join backup.copies c on c.run_id = l.id
    where l.status = 'succeeded' and l.removed_at is null
    order by backup._is_future(l.started_at), l.started_at desc
    limit 1;
    if newest.verified_at is null and newest.failures >= 3 then
        return next backup._reason(
            'copy_failed', 'warning',
            format('%s has no second copy; what went wrong: %s', newest.name, newest.error ->> 'message'), newest.error ->> 'hint'
        );
    elsif newest.failures >= 3 then
        return next backup._reason(
            'copy_failed', 'warning', format('the second copy of %s is there; what went wrong afterwards: %s', newest.name, newest.error ->> 'message'),
            newest.error ->> 'hint'
        );
    elsif newest.verified_at is null and newest.finished_at < now() - interval '6 hours' then
        return next backup._reason(
            'copy_late', 'warning', format('%s, made %s, has no second copy yet', newest.name, newest.finished_at),
            'select backup.copy() asks for it now; see the logs of the function.'
        );
    end if;
    if newest.files_left > 0 then
        return next backup._reason(
            'files_left', 'info', format('%s of Storage''s files are not in the second copy: larger than 50 MB, or not in Storage', newest.files_left),
            'select * from backup.copied_files where error is not null; the inventory of the backup has all sizes.'
        );
    end if;
    -- The service may keep what it has, by a lock or for want of the right to remove: worth knowing, since it is paid for.
    select count(*) as copies, min(c.error ->> 'message') as message into kept
    from backup.copies c
    join backup.log l on l.id = c.run_id
    where l.removed_at is not null and c.removed_at is null and c.failures >= 3;
    if kept.copies > 0 then
        return next backup._reason(
            'copies_kept', 'info', format('%s copies of backups that rotation has removed could not be removed: %s', kept.copies, kept.message),
            'A lifecycle rule of the bucket can remove them: docs/second-copy.md.'
        );
    end if;
end;
$$;

revoke all on function backup._look_at_copies from public;
comment on function backup._look_at_copies is 'Is there a second copy, outside the project?';

-- Looks at everything and answers one row. The verdict is the worst severity among the reasons.
create or replace function backup.examine()
returns table (verdict text, reasons jsonb, facts jsonb, checked_at timestamptz)
language sql
stable
-- service_role looks through this, and may read neither jobs nor Storage's tables itself.
security definer
set search_path = ''
as $$
    with found as (
        select reason, array_position('{failing,warning,info}', reason ->> 'severity') as rank
        from (
            select backup._look_at_runs(backup._weekly_schedule())
            union all
            select backup._look_at_jobs()
            union all
            select backup._look_at_ways()
            union all
            select backup._look_at_shrinkage()
            union all
            select backup._look_at_drills()
            union all
            select backup._look_at_settings()
            union all
            select backup._look_at_alerts()
            union all
            select backup._look_at_copies()
        ) all_reasons (reason)
    )
    select
        coalesce((array['failing', 'warning'])[min(rank)], 'ok'),
        jsonb_agg(reason order by rank, reason ->> 'code'),
        (
            select jsonb_build_object(
                'newest_backup', (select b.name from backup._stored_backups() b where b.whole is not false limit 1),
                'backups', (select count(*) from backup._stored_backups() b where b.whole is not false),
                'schedule', backup._weekly_schedule(),
                'longest_wait', backup._longest_wait(backup._weekly_schedule()),
                'bucket', s.bucket,
                'last_drill', (select max(d.started_at) from backup.drills d)
            )
            from backup.settings s
        ),
        now()
    from found;
$$;

revoke all on function backup.examine from public;
grant execute on function backup.examine to service_role;
comment on function backup.examine is 'Looks at everything: the row of backup.health.';

-- One row. Example: select verdict, jsonb_pretty(reasons) from backup.health;
create or replace view backup.health with (security_invoker = true) as
select verdict, reasons, facts, checked_at from backup.examine();

grant select on backup.health to service_role;

comment on view backup.health is 'How the backups are: one row.';
comment on column backup.health.verdict is 'ok, warning (look into it) or failing (there is, or soon will be, no backup to go back to).';
comment on column backup.health.reasons is 'Why: code, severity, message, hint; the worst first. Those of severity info do not count.';
comment on column backup.health.facts is 'newest_backup, backups, schedule, longest_wait, bucket, last_drill.';
comment on column backup.health.checked_at is 'When it was looked at: now.';

-- The daily check. It needs neither the function nor a run: it fails a run that was left behind, keeps in backup.events what has changed, has it told, and has
-- copied what was not. It switches nothing on: whether a job that is gone was meant to go is for a person to say.
create or replace function backup.check()
returns text
language plpgsql
set search_path = ''
as $$
declare
    verdict text;
begin
    perform backup._lock_starts();
    perform backup._abandon();
    verdict := backup._notice();
    perform backup.alert();
    perform backup.watch_copies();
    return verdict;
end;
$$;

revoke all on function backup.check from public;
comment on function backup.check is 'The daily check: ends what was left behind, keeps in backup.events what has changed, and has it told.';

-- Looks at everything, and keeps it when it has changed; answers the verdict. Called daily, and at the end of each run.
create or replace function backup._notice()
returns text
language plpgsql
set search_path = ''
as $$
declare
    now_found record;
    before backup.events;
begin
    perform backup._lock_events();
    select h.verdict, h.reasons into now_found from backup.health h;
    select e.* into before from backup.events e order by e.id desc limit 1;
    if before.verdict = now_found.verdict and backup._alarms(before.reasons) = backup._alarms(now_found.reasons) then
        update backup.events e set seen_at = clock_timestamp(), reasons = now_found.reasons where e.id = before.id;
    else
        insert into backup.events (verdict, previous_verdict, reasons) values (now_found.verdict, before.verdict, now_found.reasons);
    end if;
    return now_found.verdict;
end;
$$;

revoke all on function backup._notice from public;
comment on function backup._notice is 'Keeps in backup.events what has changed; answers the verdict.';

-- Events are noticed one after another. Whoever takes this lock takes no run's and no start's after it.
create or replace function backup._lock_events()
returns void
language sql
set search_path = ''
as $$
    select pg_advisory_xact_lock(hashtext('backup.events'));
$$;

revoke all on function backup._lock_events from public;
comment on function backup._lock_events is 'Makes those who notice events wait for each other.';

-- The codes that count: what is merely worth knowing makes no event, and neither does a message whose figures grow.
create or replace function backup._alarms(reasons jsonb)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select coalesce(array_agg(distinct reason ->> 'code' order by reason ->> 'code'), '{}')
    from jsonb_array_elements(reasons) reason
    where reason ->> 'severity' <> 'info';
$$;

revoke all on function backup._alarms from public;
comment on function backup._alarms is 'Codes of the reasons that count.';

-- The job of the daily check. There is one; scheduling again changes its time. Example: select backup.schedule_check('0 7 * * *');
create or replace function backup.schedule_check(schedule text default '23 6 * * *')
returns bigint
language plpgsql
-- The job has to belong to the owner of the schema, whoever of the two roles calls.
security definer
set search_path = ''
as $$
begin
    if not backup.is_schedule(schedule) then
        raise exception 'schedule refused: "%" is not a schedule of five fields', schedule
            using errcode = 'invalid_parameter_value',
                hint = 'Give minute, hour, day of month, month and day of week (UTC), such as 23 6 * * * for every day at 6:23.';
    end if;
    return backup._keep_job('backup-daily', schedule, 'select backup.check()');
end;
$$;

revoke all on function backup.schedule_check from public;
grant execute on function backup.schedule_check to service_role;
comment on function backup.schedule_check is 'Checks the backups by this cron schedule (UTC) from now on; answers the job''s number.';

-- Puts backups of the bucket back into the log, from what their manifests say: after a restore, or when rows of the log were lost. `backups` is [{name, trigger, attempt,
-- finished_at, server_version, tables, rows, raw_bytes, stored_bytes, parts, checksum, warnings, bucket, table_rows}]. Answers what became of each;
-- a second time nothing does. Only what a manifest proves is changed: a manifest is written when all its parts have been verified.
create or replace function backup._rebuild(backups jsonb)
returns table (name text, outcome text)
language plpgsql
set search_path = ''
as $$
declare
    stored jsonb;
    run backup.log;
begin
    perform backup._lock_starts();
    -- A restored database has the row of the very run that made it, still active.
    perform backup._abandon();
    for stored in select b from jsonb_array_elements(backups) b order by b ->> 'name' loop
        name := stored ->> 'name';
        select l.* into run from backup.log l where l.name = stored ->> 'name';
        if run.id is not null and run.error_code is distinct from 'abandoned' then
            outcome := case
                when run.removed_at is not null then 'left: the log says that it was removed'
                when run.status = 'succeeded' then 'known'
                else format('left: the log says that its run is %s', run.status)
            end;
            return next;
            continue;
        end if;
        outcome := case when run.id is null then 'added' else 'corrected: its run was left behind, and the backup is whole' end;
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
            stored -> 'warnings' || '[{"code": "rebuilt", "object": "log", "message": "this row was made from the manifest"}]'::jsonb,
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
        perform backup._keep_table_rows(run.id, stored -> 'table_rows');
        return next;
    end loop;
end;
$$;

revoke all on function backup._rebuild from public;
comment on function backup._rebuild is 'Puts backups of the bucket back into the log, from their manifests.';
