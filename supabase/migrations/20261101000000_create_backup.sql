-- Generated from the schemas by `npm run migrations`. Do not edit.

-- Every file may run twice, but a schema of this name that belongs to somebody else is left alone.
do $$
begin
    -- The owner of the schema could replace our functions.
    if exists (select from pg_namespace n where n.nspname = 'backup' and n.nspowner <> current_user::regrole) then
        raise exception 'Cannot install: the schema "backup" belongs to another role'
            using errcode = 'duplicate_schema', hint = 'Rename it first: alter schema backup rename to another_name';
    end if;
    if to_regnamespace('backup') is not null and to_regclass('backup.settings') is null
        and exists (select from pg_class where relnamespace = to_regnamespace('backup'))
    then
        raise exception 'Cannot install: a schema "backup" with other tables exists'
            using errcode = 'duplicate_schema', hint = 'Rename it first: alter schema backup rename to another_name';
    end if;
end;
$$;

create schema if not exists backup;

comment on schema backup is
    'Backups of this project into its own Storage: settings, the log of runs, and the functions that run them.';

create or replace function backup.version()
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select '0.1.0';
$$;

comment on function backup.version is
    'Returns the version of this schema. The function of the same name refuses to work with a schema of another minor version.';

create or replace function backup._platform_has(object text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case when object like '%(%' then to_regprocedure(object) is not null else to_regclass(object) is not null end
        and exists (
            select
            from pg_namespace n
            join pg_roles r on r.oid = n.nspowner
            where n.nspname = split_part(object, '.', 1)
                -- The owner of the schema backup may have created a stand-in.
                and (r.rolsuper or n.nspowner = (select o.nspowner from pg_namespace o where o.nspname = 'backup'))
        );
$$;

comment on function backup._platform_has is
    'Returns whether this database has an object of the platform (pg_cron, pg_net, Storage): a relation, or a '
    'function with its argument types. An object of the same name in a schema that another role created does not '
    'count, because its code would run with our rights.';

create or replace function backup._net_trigger()
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select min(t.tgname) from pg_trigger t where t.tgrelid = to_regclass('net.http_request_queue') and not t.tgisinternal;
$$;

comment on function backup._net_trigger is
    'Returns the name of a trigger on pg_net''s queue, or null. pg_net lets every role create one, and it would '
    'run with the rights of whoever calls the function.';

create table if not exists backup.settings (
    id boolean primary key default true,
    function_url text,
    bucket text not null default 'backups',
    slice_bytes bigint not null default 32000000,
    invocation_bytes bigint not null default 80000000,
    part_bytes integer not null default 41943040,
    storage_quota_bytes bigint not null default 0,
    level integer not null default 4,
    workers integer not null default 2,
    lease_seconds integer not null default 60,
    call_ttl_seconds integer not null default 300,
    max_attempts integer not null default 3,
    lock_timeout_ms integer not null default 10000,
    keep_scheduled integer not null default 4,
    keep_manual integer not null default 4,
    keep_weekly integer not null default 0,
    keep_monthly integer not null default 0,
    keep_yearly integer not null default 0,
    alert_reminder_days integer not null default 7,
    recipient text,
    second_copy text,
    budget_halvings integer not null default 0,

    constraint one_row check (id),
    constraint function_url_form check (function_url ~ '^https?://[^[:space:][:cntrl:]/?#@<>]+/[^[:space:][:cntrl:]?#@<>]*$'),
    constraint bucket_form check (bucket ~ '^[A-Za-z0-9._-]{1,100}$'),
    constraint slice_bytes_range check (slice_bytes between 65536 and 1073741824),
    constraint slice_fits_its_parts check (slice_bytes <= 3::bigint * part_bytes),
    constraint invocation_bytes_range check (invocation_bytes between 65536 and 10737418240),
    constraint part_bytes_range check (part_bytes between 65536 and 50000000),
    constraint storage_quota_bytes_range check (storage_quota_bytes >= 0),
    constraint level_range check (level between 1 and 9),
    constraint workers_range check (workers between 1 and 8),
    constraint lease_seconds_range check (lease_seconds between 2 and 3600),
    constraint call_ttl_seconds_range check (call_ttl_seconds between 10 and 3600),
    constraint max_attempts_range check (max_attempts between 1 and 10),
    constraint lock_timeout_ms_range check (lock_timeout_ms between 1 and 3600000),
    constraint keep_scheduled_range check (keep_scheduled between 1 and 1000),
    constraint keep_manual_range check (keep_manual between 1 and 1000),
    constraint keep_weekly_range check (keep_weekly between 0 and 1000),
    constraint keep_monthly_range check (keep_monthly between 0 and 1000),
    constraint keep_yearly_range check (keep_yearly between 0 and 1000),
    constraint alert_reminder_days_range check (alert_reminder_days between 1 and 365),
    constraint recipient_form check (recipient ~ '^ *age1[02-9ac-hj-np-z]{51}[qs][02-9ac-hj-np-z]{6} *(, *age1[02-9ac-hj-np-z]{51}[qs][02-9ac-hj-np-z]{6} *){0,7}$'),
    constraint second_copy_known check (second_copy in ('s3', 's3_with_files', 'none')),
    constraint budget_halvings_range check (budget_halvings between 0 and 6)
);

alter table backup.settings enable row level security;

comment on table backup.settings is 'How backups are made; one row. Change it with backup.configure().';
comment on column backup.settings.id is 'Always true: the table has one row.';
comment on column backup.settings.function_url is 'Address of the Edge Function; no backup starts before it is set.';
comment on column backup.settings.bucket is 'Storage bucket for the backups.';
comment on column backup.settings.slice_bytes is
    'Estimated COPY text of one slice; large tables are cut to this size.';
comment on column backup.settings.invocation_bytes is
    'COPY text that one invocation exports: what fits into two seconds of CPU with a margin.';
comment on column backup.settings.part_bytes is
    'Largest object in the bucket; below the free plan''s limit of 50 MB.';
comment on column backup.settings.storage_quota_bytes is
    'Storage quota of the plan: a run that would exceed it fails before it exports. 0 if unknown.';
comment on column backup.settings.level is
    'Deflate level. 4 compresses more than pg_dump''s default and is twice as fast.';
comment on column backup.settings.workers is 'Invocations that export at the same time.';
comment on column backup.settings.lease_seconds is
    'Seconds without a heartbeat after which other workers take over a worker''s slices.';
comment on column backup.settings.call_ttl_seconds is 'Seconds for which the one-time token of a call is valid.';
comment on column backup.settings.max_attempts is 'How often a run is tried, each time with a new snapshot.';
comment on column backup.settings.lock_timeout_ms is
    'Milliseconds that a backup waits for a table locked by DDL before it ends the attempt.';
comment on column backup.settings.keep_scheduled is 'Newest scheduled backups that rotation keeps.';
comment on column backup.settings.keep_manual is 'Newest manual backups that rotation keeps.';
comment on column backup.settings.keep_weekly is 'Number of weeks for which rotation keeps a backup.';
comment on column backup.settings.keep_monthly is 'Number of months for which rotation keeps a backup.';
comment on column backup.settings.keep_yearly is 'Number of years for which rotation keeps a backup.';
comment on column backup.settings.alert_reminder_days is
    'Days after which an alert is repeated while the backups are still failing.';
comment on column backup.settings.recipient is
    'Public keys of age that backups are encrypted to, separated by commas; null for no encryption.';
comment on column backup.settings.second_copy is
    's3: backups are copied to the bucket of the function''s secrets; s3_with_files: Storage''s files too; none: '
    'one copy is enough; null: undecided, which backup.health warns about.';
comment on column backup.settings.budget_halvings is
    'How often slice_bytes and invocation_bytes are halved at present: a death of a worker raises it, a success '
    'lowers it.';

comment on constraint one_row on backup.settings is
    'There is one row of settings; change it with backup.configure().';
comment on constraint function_url_form on backup.settings is
    'function_url is the full address of the function, without user, query or fragment: '
    'https://<project-ref>.supabase.co/functions/v1/backup, with the reference of your project.';
comment on constraint bucket_form on backup.settings is
    'bucket is the name of a Storage bucket: 1 to 100 letters, digits, dots, dashes or underscores.';
comment on constraint slice_bytes_range on backup.settings is
    'slice_bytes is between 65536 (64 KiB) and 1073741824 (1 GiB).';
comment on constraint slice_fits_its_parts on backup.settings is
    'slice_bytes is at most three times part_bytes: a slice has three parts for its rows, which may not compress '
    'at all.';
comment on constraint invocation_bytes_range on backup.settings is
    'invocation_bytes is between 65536 (64 KiB) and 10737418240 (10 GiB).';
comment on constraint part_bytes_range on backup.settings is
    'part_bytes is between 65536 (64 KiB) and 50000000 (50 MB, the free plan''s limit for a file).';
comment on constraint storage_quota_bytes_range on backup.settings is
    'storage_quota_bytes is the Storage quota of the plan in bytes (1000000000 on the free plan), or 0 if '
    'unknown.';
comment on constraint level_range on backup.settings is 'level is between 1 (fast) and 9 (small).';
comment on constraint workers_range on backup.settings is 'workers is between 1 and 8.';
comment on constraint lease_seconds_range on backup.settings is 'lease_seconds is between 2 and 3600.';
comment on constraint call_ttl_seconds_range on backup.settings is 'call_ttl_seconds is between 10 and 3600.';
comment on constraint max_attempts_range on backup.settings is 'max_attempts is between 1 and 10.';
comment on constraint lock_timeout_ms_range on backup.settings is
    'lock_timeout_ms is between 1 and 3600000 (an hour).';
comment on constraint keep_scheduled_range on backup.settings is
    'keep_scheduled is between 1 and 1000, so that rotation never leaves you without a backup.';
comment on constraint keep_manual_range on backup.settings is 'keep_manual is between 1 and 1000.';
comment on constraint keep_weekly_range on backup.settings is 'keep_weekly is between 0 and 1000.';
comment on constraint keep_monthly_range on backup.settings is 'keep_monthly is between 0 and 1000.';
comment on constraint keep_yearly_range on backup.settings is 'keep_yearly is between 0 and 1000.';
comment on constraint alert_reminder_days_range on backup.settings is 'alert_reminder_days is between 1 and 365.';
comment on constraint recipient_form on backup.settings is
    'recipient is a public key of age as age-keygen prints it (age1…, 62 characters), or up to eight, separated '
    'by commas; '''' turns encryption off. Never give the secret key.';
comment on constraint second_copy_known on backup.settings is
    'second_copy is s3 or s3_with_files (see docs/second-copy.md for the secrets of the function), or none.';
comment on constraint budget_halvings_range on backup.settings is
    'budget_halvings is between 0 and 6; runs count it themselves.';

create table if not exists backup.log (
    id bigint generated always as identity primary key,
    name text not null,
    trigger text not null,
    status text not null default 'queued',
    phase text,
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    heartbeat_at timestamptz,
    progressed_at timestamptz not null default now(),
    progress jsonb not null default '{}',
    server_version text,
    tables bigint,
    rows bigint,
    raw_bytes bigint,
    stored_bytes bigint,
    parts bigint,
    checksum text,
    attempt integer not null default 1,
    attempts jsonb not null default '[]',
    invocations integer not null default 0,
    warnings jsonb not null default '[]',
    error_code text,
    error_message text,
    error_hint text,
    settings jsonb not null,
    pinned boolean not null default false,
    verified_at timestamptz,
    removed_at timestamptz,

    constraint name_unique unique (name),
    constraint name_form check (name ~ '^backup-[0-9]{8}-[0-9]{6}(-[0-9]+)?$'),
    constraint trigger_known check (trigger in ('scheduled', 'manual')),
    constraint status_known check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    constraint phase_known check (phase in ('planning', 'exporting', 'finishing', 'verifying', 'rotating')),
    -- A run is either active or has an end.
    constraint ended_when_inactive check ((status in ('queued', 'running')) = (finished_at is null)),
    -- A success was read back.
    constraint success_is_verified check (status <> 'succeeded' or (verified_at is not null and checksum is not null)),
    -- A failure has a reason.
    constraint failure_has_reason check (status <> 'failed' or (error_code is not null and error_message is not null)),
    -- Rotation must not remove a pinned backup.
    constraint pinned_stays check (not (pinned and removed_at is not null))
);

-- At most one run is active, even after two starts at the same instant.
create unique index if not exists one_active_run on backup.log ((true)) where status in ('queued', 'running');

alter table backup.log enable row level security;

comment on table backup.log is 'One row for each run. select * from backup.log order by started_at desc';
comment on column backup.log.id is 'Number of the run.';
comment on column backup.log.name is
    'Folder of the backup in the bucket; a further attempt has its number at the end.';
comment on column backup.log.trigger is 'scheduled (pg_cron) or manual; rotation counts them apart.';
comment on column backup.log.status is 'queued (no worker yet), running, succeeded (verified), failed or cancelled.';
comment on column backup.log.phase is 'What the run is doing, or was doing when it ended without success.';
comment on column backup.log.started_at is 'When backup.start() created the run.';
comment on column backup.log.finished_at is 'When the run ended, whatever its status.';
comment on column backup.log.heartbeat_at is 'Last heartbeat of any worker.';
comment on column backup.log.progressed_at is
    'When the run last made progress: attempt begun, plan stored, slice finished, part verified.';
comment on column backup.log.progress is
    'slices, slices_done, expected_invocations, estimated_bytes, estimated_bytes_done, raw_bytes, stored_bytes, '
    'rows, workers, and what they do.';
comment on column backup.log.server_version is 'Version of the PostgreSQL server that was backed up.';
comment on column backup.log.tables is 'Tables whose rows are in the backup.';
comment on column backup.log.rows is 'Rows in the backup, counted by COPY itself.';
comment on column backup.log.raw_bytes is 'COPY text before compression.';
comment on column backup.log.stored_bytes is 'Bytes of all parts in the bucket.';
comment on column backup.log.parts is 'Objects of the archive in the bucket, without the manifest.';
comment on column backup.log.checksum is 'SHA-256 of the manifest, which names the SHA-256 of every part.';
comment on column backup.log.attempt is
    'Number of the present or last attempt; each has its own snapshot and folder.';
comment on column backup.log.attempts is 'Earlier attempts: name, phase, end, error, budgets, whether a worker died.';
comment on column backup.log.invocations is 'Workers that took part, over all attempts.';
comment on column backup.log.warnings is
    'What the backup does not contain, or what was unusual: code, object, message.';
comment on column backup.log.error_code is 'Why the run failed, in one stable word.';
comment on column backup.log.error_message is 'Why the run failed.';
comment on column backup.log.error_hint is 'What to do about it.';
comment on column backup.log.settings is 'The settings that this attempt works with; later changes do not affect it.';
comment on column backup.log.pinned is 'Rotation never removes a pinned backup: backup.pin(name).';
comment on column backup.log.verified_at is
    'When every part had been read back from Storage and matched its checksum.';
comment on column backup.log.removed_at is 'When rotation removed the backup from the bucket.';

create table if not exists backup.drills (
    id bigint generated always as identity primary key,
    name text not null,
    started_at timestamptz not null,
    finished_at timestamptz not null default now(),
    target text not null,
    passed integer not null,
    failed integer not null,
    skipped integer not null,
    unchecked integer not null,
    checks jsonb not null default '[]',

    constraint drill_name_form check (name ~ '^backup-[0-9]{8}-[0-9]{6}(-[0-9]+)?$'),
    -- A drill has checked something.
    constraint drill_looked check (least(passed, failed, skipped, unchecked) >= 0 and passed + failed > 0),
    constraint drill_ended check (finished_at >= started_at)
);

alter table backup.drills enable row level security;

comment on table backup.drills is
    'One row for each drill: a backup restored into a scratch database and compared. Written by npm run drill. '
    'select * from backup.drills order by started_at desc';
comment on column backup.drills.id is 'Number of the drill.';
comment on column backup.drills.name is 'The backup that was restored.';
comment on column backup.drills.started_at is 'When the drill began.';
comment on column backup.drills.finished_at is 'When it ended.';
comment on column backup.drills.target is 'The target: version of its server, and whether it was a scratch server.';
comment on column backup.drills.passed is 'Checks that passed.';
comment on column backup.drills.failed is 'Checks that failed; the drill passed if there are none.';
comment on column backup.drills.skipped is 'What was left out or changed on purpose.';
comment on column backup.drills.unchecked is 'What should have been checked but could not be.';
comment on column backup.drills.checks is 'Checks that did not pass: {what, outcome, detail}.';

create table if not exists backup.plans (
    run_id bigint primary key references backup.log (id) on delete cascade,
    worker uuid not null,
    planned_at timestamptz not null default now(),
    estimated_bytes bigint not null,
    facts jsonb not null,

    constraint estimated_bytes_range check (estimated_bytes >= 0)
);

alter table backup.plans enable row level security;

comment on table backup.plans is
    'What the planner decided for a run''s present attempt. Slices and parts refer to it, so that deleting the '
    'plan clears the attempt.';
comment on column backup.plans.run_id is 'The run.';
comment on column backup.plans.worker is 'The worker that planned.';
comment on column backup.plans.planned_at is 'When the plan was stored.';
comment on column backup.plans.estimated_bytes is
    'Expected COPY text of all slices, including the cost of their statements.';
comment on column backup.plans.facts is 'What the finisher writes into the manifest.';

create table if not exists backup.slices (
    run_id bigint not null references backup.plans (run_id) on delete cascade,
    number integer not null,
    first_part integer not null,
    estimated_bytes bigint not null,
    pieces jsonb not null,
    worker uuid,
    tries integer not null default 0,
    finished_at timestamptz,
    result jsonb,

    primary key (run_id, number),
    constraint number_range check (number >= 0),
    constraint first_part_range check (first_part between 0 and 99999),
    constraint estimated_bytes_range check (estimated_bytes >= 0),
    constraint pieces_form check (jsonb_typeof(pieces) = 'array'),
    -- A finished slice has a worker and a result.
    constraint finished_with_result check ((finished_at is null) = (result is null) and (finished_at is null or worker is not null))
);

-- Claims only look for unfinished slices; a large run has thousands of finished ones.
create index if not exists unfinished_slices on backup.slices (run_id, number) where finished_at is null;

alter table backup.slices enable row level security;

comment on table backup.slices is
    'The work of a run''s present attempt; a slice is what one worker exports in one go.';
comment on column backup.slices.run_id is 'The run.';
comment on column backup.slices.number is 'Position of the slice in the archive.';
comment on column backup.slices.first_part is 'First of the part numbers that belong to the slice.';
comment on column backup.slices.estimated_bytes is
    'Expected COPY text of its pieces, including the cost of their statements.';
comment on column backup.slices.pieces is 'The pieces of tables to export, in archive order.';
comment on column backup.slices.worker is 'The worker that claimed it; null while it waits.';
comment on column backup.slices.tries is 'How often it was claimed and not given back in good order.';
comment on column backup.slices.finished_at is 'When its last part was stored.';
comment on column backup.slices.result is
    'rows, raw_bytes, stored_bytes, and the same with checksums for each piece.';

create table if not exists backup.parts (
    run_id bigint not null references backup.plans (run_id) on delete cascade,
    name text not null,
    slice_number integer,
    bytes bigint not null,
    sha256 text not null,
    stored_at timestamptz not null default now(),
    verified_at timestamptz,

    primary key (run_id, name),
    constraint name_form check (name ~ '^[0-9]{5}\.dump(\.age)?$'),
    constraint bytes_range check (bytes > 0),
    constraint sha256_form check (sha256 ~ '^[0-9a-f]{64}$')
);

alter table backup.parts enable row level security;

comment on table backup.parts is 'Objects of the archive that a run''s present attempt has stored in the bucket.';
comment on column backup.parts.run_id is 'The run.';
comment on column backup.parts.name is 'Name of the object in the backup''s folder; name order is archive order.';
comment on column backup.parts.slice_number is
    'The slice it belongs to; null for the table of contents and for closing parts.';
comment on column backup.parts.bytes is 'Its size.';
comment on column backup.parts.sha256 is 'Its SHA-256 in hexadecimal, computed before the upload.';
comment on column backup.parts.stored_at is 'When it was recorded.';
comment on column backup.parts.verified_at is 'When it was read back and its SHA-256 matched.';

create table if not exists backup.workers (
    id uuid primary key,
    purpose text not null default 'run',
    run_id bigint references backup.log (id) on delete cascade,
    attempt integer,
    role text,
    backend_pid integer not null,
    backend_start timestamptz not null,
    entered_at timestamptz not null default clock_timestamp(),
    lease_until timestamptz not null,
    snapshot text,
    held_at timestamptz,
    leaving_at timestamptz,
    left_at timestamptz,
    progress jsonb,
    error jsonb,

    constraint purpose_known check (purpose in ('run', 'copy', 'alert')),
    constraint role_known check (role in ('plan', 'export', 'finish')),
    constraint complete_for_runs check (purpose <> 'run' or num_nulls(run_id, attempt, role) = 0),
    constraint holder_has_snapshot check ((held_at is null) = (snapshot is null))
);

create index if not exists workers_of_run on backup.workers (run_id, attempt);

alter table backup.workers enable row level security;

comment on table backup.workers is
    'Invocations of the function that registered for work. Those of a run are kept over all its attempts, until '
    'the next run starts.';
comment on column backup.workers.id is 'Chosen by the worker.';
comment on column backup.workers.purpose is
    'run, copy or alert. Several workers may share a run; copies and alerts have one at a time.';
comment on column backup.workers.run_id is 'The run, or the backup that is being copied.';
comment on column backup.workers.attempt is
    'The attempt of the run that it registered for; it cannot change any other.';
comment on column backup.workers.role is 'In a run: plan, export or finish, as told on registering or taken later.';
comment on column backup.workers.backend_pid is
    'Process of its database session; in a run, of the session that exports.';
comment on column backup.workers.backend_start is 'Start of that process, because process numbers are reused.';
comment on column backup.workers.entered_at is 'When it registered.';
comment on column backup.workers.lease_until is 'When its lease expires.';
comment on column backup.workers.snapshot is 'The snapshot that its session exports.';
comment on column backup.workers.held_at is 'When it began to hold the snapshot.';
comment on column backup.workers.leaving_at is 'When it first asked to leave and had to keep holding the snapshot.';
comment on column backup.workers.left_at is 'When it left in good order or lost its lease; null for one that died.';
comment on column backup.workers.progress is 'Its present work: slice, table, rows, raw_bytes.';
comment on column backup.workers.error is 'Why it gave up: code, message, hint.';

create or replace view backup.live_workers with (security_invoker = true) as
select
    w.id,
    w.purpose,
    w.run_id,
    w.role,
    w.snapshot,
    w.held_at,
    w.progress,
    w.leaving_at is null and w.lease_until > clock_timestamp() as working
from backup.workers w
join pg_catalog.pg_stat_activity a on a.pid = w.backend_pid and a.backend_start = w.backend_start
left join backup.log l on l.id = w.run_id
where w.left_at is null
    and (w.purpose <> 'run' or l.attempt = w.attempt and l.status in ('queued', 'running'));

comment on view backup.live_workers is
    'Workers whose session exists; of the active run, those of its present attempt.';
comment on column backup.live_workers.id is 'The worker.';
comment on column backup.live_workers.purpose is 'run, copy or alert.';
comment on column backup.live_workers.run_id is 'The run, or the backup that is being copied.';
comment on column backup.live_workers.role is 'In a run: plan, export or finish.';
comment on column backup.live_workers.snapshot is 'The snapshot that can be imported from it.';
comment on column backup.live_workers.held_at is 'When it began to hold the snapshot.';
comment on column backup.live_workers.progress is 'Its present work.';
comment on column backup.live_workers.working is 'False for one that waits to leave or whose lease expired.';

create table if not exists backup.calls (
    hash bytea primary key,
    purpose text not null,
    run_id bigint references backup.log (id) on delete cascade,
    request_id bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    used_at timestamptz,
    worker uuid,
    answer jsonb,

    constraint hash_form check (length(hash) = 32),
    constraint purpose_known check (purpose in ('run', 'copy', 'alert')),
    constraint run_of_run_calls check ((purpose = 'run') = (run_id is not null))
);

create index if not exists calls_of_run on backup.calls (run_id, created_at);

alter table backup.calls enable row level security;

comment on table backup.calls is
    'Calls of the function. Only hashes of their one-time tokens are kept: a reader of this table cannot call.';
comment on column backup.calls.hash is 'SHA-256 of the token.';
comment on column backup.calls.purpose is
    'What the function is called for: run, copy or alert. The token begins with it and is valid for nothing else.';
comment on column backup.calls.run_id is 'The only run that the token is valid for; null for other purposes.';
comment on column backup.calls.request_id is
    'pg_net''s number of the request. pg_net starts again at 1 after a crash.';
comment on column backup.calls.created_at is 'When the call was queued.';
comment on column backup.calls.expires_at is 'When the token expires.';
comment on column backup.calls.used_at is 'When the function presented the token, which is valid once.';
comment on column backup.calls.worker is 'The worker that this call produced.';
comment on column backup.calls.answer is
    'pg_net''s response (status, error, body), copied because pg_net deletes it after some hours.';

create or replace function backup.is_schedule(schedule text)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    months constant text := 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
    days constant text := 'sun|mon|tue|wed|thu|fri|sat';
    plain text := lower(btrim(schedule, ' '));
    pattern text;
begin
    -- A field is a list of values, ranges and asterisks; a step follows a range or an asterisk, and is one of the
    -- field's numbers.
    select '^' || string_agg(format('(%s)(,(%1$s))*', format('%1$s|(\*|%1$s-%1$s)(/(?!0?0\M)(%2$s))?', '(' || concat_ws('|', number, name) || ')', number)), ' +') || '$'
    into pattern
    from (
        values
            ('[0-5]?[0-9]', null),
            ('[01]?[0-9]|2[0-3]', null),
            ('0?[1-9]|[12][0-9]|3[01]', null),
            ('0?[1-9]|1[0-2]', months),
            ('0?[0-7]', days)
    ) field (number, name);
    if plain is null or plain !~ pattern then
        return false;
    end if;
    for number in 1 .. 12 loop
        plain := replace(plain, split_part(months, '|', number), number::text);
    end loop;
    for number in 0 .. 6 loop
        plain := replace(plain, split_part(days, '|', number + 1), number::text);
    end loop;
    return not exists (select from regexp_matches(plain, '(\d+)-(\d+)', 'g') range where range[1]::integer > range[2]::integer)
        -- It never fires: the 30th of February, the 31st of a shorter month.
        and plain !~ ' 3[01](-31)?(,3[01](-31)?)* +0?2(,0?2)* +\*'
        and plain !~ ' 31(,31)* +(0?[2469]|11)(,(0?[2469]|11))* +\*';
end;
$$;

comment on function backup.is_schedule is
    'Returns whether this text is a cron schedule of five fields that can fire. pg_cron itself ignores a sixth '
    'field and whatever follows a number (5/10 runs at minute 5); such schedules are refused. False for null.';

create or replace function backup._interval_of(schedule text)
returns interval
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when not backup.is_schedule(schedule) then null
        when field[4] <> '*' then interval '366 days'
        -- Of two fields that restrict the day, one is enough.
        when field[5] <> '*' then interval '7 days'
        when field[3] <> '*' then interval '31 days'
        else interval '1 day'
    end
    from regexp_split_to_array(btrim(schedule, ' '), ' +') field;
$$;

comment on function backup._interval_of is
    'Returns the longest time that a cron schedule leaves between two backups, as a day, a week, a month or a '
    'year, so that a late backup can be told from one that is not due; null for anything that is not a schedule.';

-- Jobs of pg_cron: `backup-weekly` starts backups, `backup-daily` checks them; `backup-watch` exists while a run is
-- active or a copy or an alert is pending.

create or replace function backup._require_cron()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._platform_has('cron.schedule(text, text, text)') then
        raise exception 'pg_cron is not installed, so nothing can start backups'
            using errcode = 'feature_not_supported',
                detail = 'not_installed',
                hint = 'Run: create extension pg_cron with schema pg_catalog. Or enable it under Integrations in the dashboard.';
    end if;
end;
$$;

comment on function backup._require_cron is 'Raises an error when pg_cron is missing.';

create or replace function backup._schedule_job(name text, schedule text, command text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    job bigint;
begin
    perform backup._require_cron();
    job := cron.schedule(name, btrim(schedule, ' '), command);
    -- Jobs of a restored database are inactive, and scheduling alone leaves them so.
    perform cron.alter_job(job, active := true);
    return job;
end;
$$;

comment on function backup._schedule_job is 'Creates or changes a job of pg_cron and returns its number.';

create or replace function backup._unschedule_job(name text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    job bigint;
begin
    -- Without pg_cron there are no jobs, but a run must still be able to end.
    if not backup._platform_has('cron.job') then
        return false;
    end if;
    select j.jobid into job from cron.job j where j.jobname = _unschedule_job.name and j.username = current_user;
    return job is not null and cron.unschedule(job);
end;
$$;

comment on function backup._unschedule_job is 'Removes a job of pg_cron; returns false when there was none.';

create or replace function backup._keep_watching(needed boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not needed then
        perform backup._unschedule_job('backup-watch');
        return;
    end if;
    perform backup._require_cron();
    if not exists (select from cron.job j where j.jobname = 'backup-watch' and j.username = current_user and j.active) then
        perform backup._schedule_job('backup-watch', '* * * * *', 'select backup.watch()');
    end if;
end;
$$;

comment on function backup._keep_watching is
    'Creates or removes the job backup-watch, which runs backup.watch() every minute.';

create or replace function backup.schedule(schedule text)
returns bigint
language plpgsql
-- The job must belong to the owner of the schema, whichever role calls.
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup.is_schedule(schedule) then
        raise exception 'Invalid schedule "%": it is not a cron schedule of five fields, or never fires', schedule
            using errcode = 'invalid_parameter_value',
                hint = 'Give minute, hour, day of month, month and day of week (UTC), such as 0 3 * * 0 for Sundays at three.';
    end if;
    return backup._schedule_job('backup-weekly', schedule, $job$select backup.start('scheduled')$job$);
end;
$$;

comment on function backup.schedule is
    'Backs up on this cron schedule (UTC) from now on and returns the job''s number. Example: select '
    'backup.schedule(''30 2 * * *'')';

create or replace function backup.unschedule()
returns boolean
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select backup._unschedule_job('backup-weekly');
$$;

comment on function backup.unschedule is 'Stops the scheduled backups; returns false when there were none.';

create or replace function backup.configure(
    function_url text default null,
    bucket text default null,
    slice_bytes bigint default null,
    invocation_bytes bigint default null,
    part_bytes integer default null,
    storage_quota_bytes bigint default null,
    level integer default null,
    workers integer default null,
    lease_seconds integer default null,
    call_ttl_seconds integer default null,
    max_attempts integer default null,
    lock_timeout_ms integer default null,
    keep_scheduled integer default null,
    keep_manual integer default null,
    keep_weekly integer default null,
    keep_monthly integer default null,
    keep_yearly integer default null,
    recipient text default null,
    alert_reminder_days integer default null,
    second_copy text default null
)
returns text
language plpgsql
-- service_role may change settings here, but not write the table.
security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

comment on function backup.configure is
    'Changes the settings named in the call and returns what has changed, one line a setting. A run under way '
    'keeps the settings it began with. Example: select backup.configure(function_url => '
    '''https://abc.supabase.co/functions/v1/backup'', workers => 3)';

create or replace function backup._settings_of_attempt()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select to_jsonb(s) - '{id,function_url,alert_reminder_days,second_copy,budget_halvings}'::text[] || jsonb_build_object(
        'slice_bytes', greatest(65536, s.slice_bytes >> s.budget_halvings),
        'invocation_bytes', greatest(65536, s.invocation_bytes >> s.budget_halvings)
    )
    from backup.settings s;
$$;

comment on function backup._settings_of_attempt is
    'Returns the settings that the next attempt works with: the budgets are halved once for each time that '
    'workers died.';

create or replace function backup._function_error()
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from backup.settings s where s.function_url is not null) then
        return jsonb_build_object(
            'code', 'not_configured',
            'message', 'function_url is not configured',
            'hint', 'Run: select backup.configure(function_url => ''https://<project-ref>.supabase.co/functions/v1/backup'')'
        );
    elsif not backup._platform_has('net.http_post(text, jsonb, jsonb, jsonb, integer)') then
        return jsonb_build_object(
            'code', 'not_installed',
            'message', 'pg_net is not installed, so the database cannot call the function',
            'hint', 'Run: create extension pg_net with schema extensions. Or enable it under Integrations in the dashboard.'
        );
    elsif backup._net_trigger() is not null then
        return jsonb_build_object(
            'code', 'net_unsafe',
            'message', format('Cannot call the function: the trigger "%s" on net.http_request_queue would run with our rights', backup._net_trigger()),
            'hint', format('Run: drop trigger %I on net.http_request_queue. Find out who created it: any role can.', backup._net_trigger())
        );
    end if;
    return null;
end;
$$;

comment on function backup._function_error is 'Returns why the function cannot be called, or null.';

create or replace function backup._require_function()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    error jsonb := backup._function_error();
begin
    if error is not null then
        raise exception '%', error ->> 'message'
            using errcode = 'object_not_in_prerequisite_state', detail = error ->> 'code', hint = error ->> 'hint';
    end if;
end;
$$;

comment on function backup._require_function is
    'Raises an error when the function cannot be called; its detail is the code for the log.';

create or replace function backup._call(purpose text, run_id bigint default null)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Two random UUIDs are 244 random bits from the server's strong source.
    token text := purpose || '-' || gen_random_uuid()::text || gen_random_uuid()::text;
    settings backup.settings;
    request bigint;
begin
    -- With this lock nobody can add a trigger between the check and the request.
    if backup._platform_has('net.http_request_queue') then
        lock table net.http_request_queue in row exclusive mode;
    end if;
    perform backup._require_function();
    select s.* into strict settings from backup.settings s;
    -- The function answers at once; the half minute is for its cold start. pg_net's default of five seconds is too
    -- short, and a pending request delays all later ones.
    request := net.http_post(
        url := settings.function_url,
        body := jsonb_strip_nulls(jsonb_build_object('run_id', run_id)),
        headers := jsonb_build_object('Content-Type', 'application/json', 'x-backup-token', token),
        timeout_milliseconds := 30000
    );
    insert into backup.calls (hash, purpose, run_id, request_id, expires_at)
    values (
        sha256(convert_to(token, 'UTF8')), _call.purpose, _call.run_id, request,
        clock_timestamp() + make_interval(secs => settings.call_ttl_seconds)
    );
    return request;
end;
$$;

comment on function backup._call is
    'Calls the function with a one-time token for this purpose and returns pg_net''s request number. The request '
    'is sent when the transaction commits.';

create or replace function backup.dispatch(run_id bigint)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_function();
    if not exists (select from backup.log l where l.id = dispatch.run_id and l.finished_at is null) then
        raise exception 'Cannot dispatch run %: it is not active', run_id
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Start a new run with select backup.start(), or see all runs with select * from backup.log.';
    end if;
    return backup._call('run', run_id);
end;
$$;

comment on function backup.dispatch is 'Calls the function for an active run and returns pg_net''s request number.';

create or replace function backup._redeem(token text, out purpose text, out run_id bigint)
language sql
set search_path = pg_catalog, pg_temp
as $$
    update backup.calls c
    set used_at = clock_timestamp()
    where c.hash = sha256(convert_to(token, 'UTF8')) and c.used_at is null and c.expires_at > clock_timestamp()
    returning c.purpose, c.run_id;
$$;

comment on function backup._redeem is
    'Uses up an unused, unexpired token and returns what it is valid for; nulls for any other text.';

create or replace function backup._link_call(purpose text, run_id bigint, worker uuid)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    -- The newest one: an older call whose worker died on its way must not pass its place on, or each later call would
    -- be taken for one that is still under way.
    update backup.calls c
    set worker = _link_call.worker
    where c.hash = (
        select o.hash
        from backup.calls o
        where o.purpose = _link_call.purpose and o.run_id is not distinct from _link_call.run_id and o.used_at is not null and o.worker is null
        order by o.used_at desc
        limit 1
    ) and not exists (select from backup.calls o where o.worker = _link_call.worker);
$$;

comment on function backup._link_call is 'Records which worker a call has produced.';

create or replace function backup._collect_responses(run_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._platform_has('net._http_response') then
        return;
    end if;
    -- The times are compared because pg_net starts again at 1 after a crash: an older response can have the same
    -- number.
    update backup.calls c
    set answer = jsonb_strip_nulls(jsonb_build_object('status', r.status_code, 'error', left(r.error_msg, 300), 'body', left(r.content, 300)))
    from net._http_response r
    where c.run_id is not distinct from _collect_responses.run_id and c.answer is null and r.id = c.request_id and r.created > c.created_at - interval '1 minute';
end;
$$;

comment on function backup._collect_responses is
    'Copies pg_net''s responses to the calls of a run, or of other purposes for null, before pg_net deletes them.'
    ' The caller holds the lock of the run, or that on work.';

create or replace function backup._call_status(purpose text, run_id bigint, out expected bigint, out vain bigint, out answer jsonb)
language sql
set search_path = pg_catalog, pg_temp
as $$
    with calls as (
        select
            c.created_at,
            c.answer,
            c.worker is null and case
                -- It reached an isolate that is already busy; the next call reaches another one.
                when c.answer ->> 'status' = '503' and c.answer ->> 'body' like '%"busy"%' then c.created_at > clock_timestamp() - interval '1 second'
                -- Refused or not delivered: wait a little before the next call, not longer.
                when c.answer ->> 'status' not like '2%' or c.answer ? 'error' then c.created_at > clock_timestamp() - interval '5 seconds'
                -- Under way: pg_net's queue, a cold start, two connections.
                else greatest(c.created_at, c.used_at) > clock_timestamp() - interval '45 seconds'
            end as expected,
            c.worker is not null as entered
        from backup.calls c
        where c.purpose = _call_status.purpose and c.run_id is not distinct from _call_status.run_id
    )
    select
        count(*) filter (where c.expected),
        count(*) filter (
            where not c.expected and not c.entered
                and c.created_at > coalesce((select coalesce(l.heartbeat_at, l.started_at) from backup.log l where l.id = _call_status.run_id), '-infinity')
        ),
        (array_agg(c.answer order by c.created_at desc) filter (where c.answer is not null and not c.entered))[1]
    from calls c;
$$;

comment on function backup._call_status is
    'Returns how many calls may still produce a worker (expected), how many since the run''s last heartbeat did '
    'not (vain), and the last answer of those.';

create or replace function backup._lock_run(run_id bigint)
returns backup.log
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log;
begin
    select l.* into run from backup.log l where l.id = run_id for update;
    if not found then
        raise exception 'Run % does not exist', run_id
            using errcode = 'no_data_found', hint = 'See all runs with: select * from backup.log';
    end if;
    -- A transaction sees pg_stat_activity as it was at its first look; discard what it saw before it waited.
    perform pg_catalog.pg_stat_clear_snapshot();
    return run;
end;
$$;

comment on function backup._lock_run is
    'Locks a run until the transaction ends and returns its row. Verbs that change a run lock it first, so that '
    'its workers, backup.watch() and people act one after another.';

create or replace function backup._lost_workers(run backup.log)
returns setof backup.workers
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select w.*
    from backup.workers w
    where w.run_id = run.id
        and w.attempt = run.attempt
        and (
            w.error is not null
            or w.left_at is null and not exists (select from backup.live_workers live where live.id = w.id)
        );
$$;

comment on function backup._lost_workers is
    'Returns the workers of the present attempt that died or gave up with an error.';

create or replace function backup._worker_died(run backup.log)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from backup._lost_workers(run) lost
        where lost.error ->> 'code' = 'worker_ended'
            or lost.left_at is null and lost.backend_start > pg_postmaster_start_time()
                and not exists (select from backup.live_workers live where live.id = lost.id)
    );
$$;

comment on function backup._worker_died is
    'Returns whether a worker of the present attempt exited unexpectedly, as one does that used up its CPU or '
    'memory. A restart of the server does not count.';

create or replace function backup._end_attempt(run backup.log, error jsonb, retry boolean)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    died boolean := backup._worker_died(run);
begin
    if died then
        update backup.settings s set budget_halvings = least(6, s.budget_halvings + 1);
    end if;
    update backup.log l
    set attempts = l.attempts || jsonb_build_object(
        'attempt', run.attempt,
        'name', run.name,
        'phase', run.phase,
        'ended_at', clock_timestamp(),
        'error', error,
        'worker_died', died,
        'slice_bytes', run.settings -> 'slice_bytes',
        'invocation_bytes', run.settings -> 'invocation_bytes'
    )
    where l.id = run.id;
    if not retry or run.attempt >= (run.settings ->> 'max_attempts')::integer then
        perform backup._end_run(run, 'failed', error);
        return false;
    end if;
    delete from backup.plans p where p.run_id = run.id;
    update backup.log l
    set attempt = run.attempt + 1,
        name = substring(run.name from '^backup-[0-9]{8}-[0-9]{6}') || '-' || run.attempt + 1,
        status = 'running',
        phase = 'planning',
        progress = '{}',
        progressed_at = clock_timestamp(),
        warnings = '[]',
        server_version = null,
        tables = null,
        settings = backup._settings_of_attempt()
    where l.id = run.id;
    return true;
end;
$$;

comment on function backup._end_attempt is
    'Ends the present attempt of a locked run with an error {code, message, hint}. Returns true when the next '
    'attempt begins (new folder, snapshot and settings; smaller budgets after a death), false when the run has '
    'failed. The caller calls the workers: backup._reconcile_run().';

create or replace function backup._is_postponed(run backup.log)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select run.phase = 'planning'
        and last.attempt ->> 'phase' = 'planning'
        and last.attempt #>> '{error, code}' = 'lock_timeout'
        -- An end in the future was recorded before the clock was set back.
        and clock_timestamp() between last.ended_at and last.ended_at
            + least(interval '10 minutes', interval '1 millisecond' * (run.settings ->> 'lock_timeout_ms')::integer * 6 ^ jsonb_array_length(run.attempts))
    from (select run.attempts -> -1, (run.attempts -> -1 ->> 'ended_at')::timestamptz) last (attempt, ended_at);
$$;

comment on function backup._is_postponed is
    'Returns whether the next attempt waits because two in a row met a locked table: a minute, then six (with the'
    ' default lock_timeout_ms). Trying again at once would use up the attempts within seconds.';

create or replace function backup._end_run(run backup.log, status text, error jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update backup.log l
    set status = _end_run.status,
        finished_at = clock_timestamp(),
        error_code = coalesce(error ->> 'code', 'internal'),
        error_message = coalesce(error ->> 'message', 'The function gave no reason'),
        error_hint = error ->> 'hint'
    where l.id = run.id;
end;
$$;

comment on function backup._end_run is
    'Ends a locked run as failed or cancelled. Its workers learn of it from their next verb.';

create or replace function backup._reconcile_run(run_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    calls record;
    error jsonb;
    unfinished bigint;
    wanted bigint;
    working bigint;
begin
    if run.finished_at is not null then
        return;
    end if;
    perform backup._collect_responses(run_id);
    select c.* into calls from backup._call_status('run', run_id) c;
    error := backup._unreachable(calls.vain, calls.answer);
    if error is not null then
        perform backup._end_attempt(run, error, false);
        return;
    end if;
    error := backup._attempt_error(run);
    if error is not null then
        if not backup._end_attempt(run, error, true) then
            return;
        end if;
        run := backup._lock_run(run_id);
    end if;
    if backup._is_postponed(run) then
        return;
    end if;
    select count(*) into unfinished from backup.slices s where s.run_id = run.id and s.finished_at is null;
    -- One worker plans and one finishes; only slices can be shared.
    wanted := greatest(1, least(unfinished, (run.settings ->> 'workers')::bigint));
    select count(*) into working from backup.live_workers w where w.run_id = run.id and w.working;
    for i in 1 .. (wanted - working - calls.expected)::integer loop
        perform backup._call('run', run.id);
    end loop;
end;
$$;

comment on function backup._reconcile_run is
    'Compares what an active run needs with the workers it has. Fails a run whose calls come to nothing, with '
    'what pg_net recorded; ends an attempt whose snapshot is lost or that makes no progress; calls the workers '
    'that are missing. Doing it twice does no more than doing it once.';

create or replace function backup._unreachable(vain bigint, answer jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    status integer := (answer ->> 'status')::integer;
    -- The function's own answer when it cannot look up the token, for whatever reason.
    unknown_token boolean := coalesce(status = 401 and answer ->> 'body' like '%"unauthorized"%', false);
    refused boolean := coalesce(status between 400 and 499 and status not in (408, 429), false) and not unknown_token;
begin
    if vain < (case when refused then 2 else 5 end) then
        return null;
    end if;
    return jsonb_build_object(
        'code', 'function_unreachable',
        'message', format('The function did not begin work after %s calls: ', vain) || case
            when answer is null then 'pg_net has no response'
            when status is null then coalesce(answer ->> 'error', 'pg_net has an empty response')
            else format('it answered %s %s', status, answer ->> 'body')
        end,
        'hint', case
            when unknown_token then 'Check the logs of the function: it may not reach the database. If it does, check that function_url in backup.settings is this project''s.'
            when status in (401, 403) then 'Deploy the function with verify_jwt = false, as in supabase/config.toml (supabase functions deploy backup), '
                'and check that function_url in backup.settings is this project''s.'
            when status = 404 then 'Deploy the function (supabase functions deploy backup) and check function_url in backup.settings.'
            when status between 200 and 299 then 'The function answers but does not begin work. Check its logs, and that it reaches the database.'
            when status is not null then 'Check the logs of the function.'
            when answer is null then 'Check that pg_net works: select net.check_worker_is_up(), and restart it with select net.worker_restart().'
            else 'Check function_url in backup.settings, and that the function is deployed.'
        end
    );
end;
$$;

comment on function backup._unreachable is
    'Returns the error of a run whose calls come to nothing, or null: after five calls in vain, or two when the '
    'function is missing or wrongly deployed.';

create or replace function backup._with_failed_slices(run backup.log, error jsonb)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    with tried as (
        select s.estimated_bytes as bytes, (select string_agg(distinct piece ->> 'table', ', ') from jsonb_array_elements(s.pieces) piece) as tables
        from backup.slices s
        where s.run_id = run.id
            and s.finished_at is null
            and s.tries > 0
            and not exists (select from backup.live_workers w where w.id = s.worker and w.working)
    ),
    giant as (
        select tried.* from tried where tried.bytes > 2 * (run.settings ->> 'slice_bytes')::bigint order by tried.bytes desc limit 1
    )
    select error || jsonb_strip_nulls(jsonb_build_object(
        'message', (error ->> 'message') || coalesce('; they failed on: ' || left((select string_agg(distinct tables, ', ') from tried), 200), ''),
        'hint', coalesce(
            (
                select format(
                    'A slice of %s cannot be smaller than %s, because one invocation exports a whole row, and its CPU limit allows about 100 MB of text. '
                    'Keep such values in Storage, or try backup.configure(level => 1), which uses less CPU per byte.',
                    left(giant.tables, 200), pg_size_pretty(giant.bytes)
                )
                from giant
            ),
            error ->> 'hint'
        )
    ));
$$;

comment on function backup._with_failed_slices is
    'Adds to an attempt''s error the tables that were tried and not finished, and says when one of their slices '
    'is too large for any invocation.';

create or replace function backup._attempt_error(run backup.log)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    unfinished bigint;
    last backup.workers;
    lost bigint;
begin
    select count(*) into unfinished from backup.slices s where s.run_id = run.id and s.finished_at is null;
    if unfinished > 0 and not exists (
        select from backup.live_workers w where w.run_id = run.id and w.held_at is not null
    ) then
        return backup._with_failed_slices(run, jsonb_build_object(
            'code', 'snapshot_lost',
            'message', format('All workers that held the snapshot ended with %s slices unfinished', unfinished),
            'hint', 'Workers end when the platform stops them or the database restarts. Check the logs of the function.'
        ));
    end if;
    select count(*) into lost from backup._lost_workers(run) w where w.entered_at > run.progressed_at;
    if lost < 2 + (run.settings ->> 'workers')::integer and not exists (
        select
        from backup.slices s
        where s.run_id = run.id
            and s.finished_at is null
            and s.tries >= 3
            and not exists (select from backup.live_workers w where w.id = s.worker and w.working)
    ) then
        return null;
    end if;
    -- The error of the last one says more than that it failed.
    select w.* into last from backup._lost_workers(run) w where w.error is not null order by w.entered_at desc limit 1;
    return backup._with_failed_slices(run, coalesce(last.error, jsonb_build_object(
        'code', 'worker_died',
        'message', format('%s workers exited unexpectedly during %s', lost, run.phase),
        'hint', 'Check the logs of the function for limits of CPU, memory or time that it reached.'
    )));
end;
$$;

comment on function backup._attempt_error is 'Returns the error of an attempt that cannot go on, or null.';

create or replace function backup._clamp_clock_skew()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update backup.log l
    set started_at = least(l.started_at, clock_timestamp()),
        heartbeat_at = least(l.heartbeat_at, clock_timestamp()),
        progressed_at = least(l.progressed_at, clock_timestamp())
    where l.finished_at is null and greatest(l.started_at, l.heartbeat_at, l.progressed_at) > clock_timestamp();
    update backup.calls c
    set created_at = clock_timestamp(),
        used_at = least(c.used_at, clock_timestamp()),
        expires_at = c.expires_at - (c.created_at - clock_timestamp())
    where c.created_at > clock_timestamp();
    update backup.workers w
    set entered_at = clock_timestamp(),
        lease_until = clock_timestamp() + (w.lease_until - w.entered_at)
    where w.entered_at > clock_timestamp();
    update backup.workers w
    set lease_until = clock_timestamp() + make_interval(secs => (l.settings ->> 'lease_seconds')::integer)
    from backup.log l
    where w.purpose = 'run' and l.id = w.run_id and l.finished_at is null
        and w.lease_until > clock_timestamp() + make_interval(secs => (l.settings ->> 'lease_seconds')::integer);
end;
$$;

comment on function backup._clamp_clock_skew is
    'Moves instants of the future to now. After the server''s clock was set back, a call or a lease would '
    'otherwise be waited for until the clock is there again. A clock that was set forward does no harm: leases '
    'expire and are taken over or renewed.';

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

create or replace function backup._set_pinned(name text, pinned boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update backup.log l
    set pinned = _set_pinned.pinned
    where l.name = _set_pinned.name and l.status = 'succeeded' and l.removed_at is null;
    if not found then
        raise exception 'Backup "%" is not stored', name
            using errcode = 'no_data_found',
                hint = 'See the stored backups with: select name from backup.log where status = ''succeeded'' and removed_at is null';
    end if;
end;
$$;

comment on function backup._set_pinned is 'Sets whether rotation may remove a stored backup.';

create or replace function backup.pin(name text)
returns void
language sql
-- service_role may pin, but not write the log.
security definer
set search_path = pg_catalog, pg_temp
as $$
    select backup._set_pinned(name, true);
$$;

comment on function backup.pin is
    'Keeps a stored backup: rotation never removes it. Example: select backup.pin(''backup-20261122-030000'')';

create or replace function backup.unpin(name text)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select backup._set_pinned(name, false);
$$;

comment on function backup.unpin is 'Lets rotation remove a backup that was pinned.';

create or replace function backup._register(run_id bigint, worker uuid, backend_pid integer)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    session_start timestamptz;
    role text := 'none';
    stuck jsonb;
    public_bucket jsonb;
begin
    -- The call has done its duty, whatever becomes of the worker.
    perform backup._link_call('run', _register.run_id, worker);
    -- backup.watch() runs as the owner of the schema: a session that the owner cannot see would look dead to
    -- everybody but itself.
    select a.backend_start into session_start
    from pg_catalog.pg_stat_activity a, pg_catalog.pg_namespace n
    where a.pid = backend_pid
        and n.nspname = 'backup'
        and (pg_has_role(n.nspowner, a.usesysid, 'usage') or pg_has_role(n.nspowner, 'pg_read_all_stats', 'usage'));
    if session_start is null then
        raise exception 'Cannot register worker % for run %: no session has process %', worker, run_id, backend_pid
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Connect to the database directly, as the owner of the schema backup. A pooler in transaction mode hides the session.';
    end if;
    -- Registering for an attempt whose snapshot is lost begins the next one.
    stuck := backup._attempt_error(run);
    if run.finished_at is null and stuck ->> 'code' = 'snapshot_lost' then
        perform backup._end_attempt(run, stuck, true);
        run := backup._lock_run(run_id);
    end if;
    public_bucket := backup._public_bucket(run.settings ->> 'bucket');
    if run.finished_at is null and public_bucket is not null then
        perform backup._end_attempt(run, public_bucket, false);
        run := backup._lock_run(run_id);
    end if;
    if run.finished_at is null then
        role := backup._assign_role(run, worker);
    end if;
    if role <> 'none' then
        -- A worker that returns for another attempt, from another session or after it left is a new one: its former
        -- snapshot must not be offered to anybody.
        delete from backup.workers w
        where w.id = worker
            and (
                w.left_at is not null
                or (w.run_id, w.attempt, w.backend_pid, w.backend_start) <> (run.id, run.attempt, _register.backend_pid, session_start)
            );
        insert into backup.workers (id, run_id, attempt, role, backend_pid, backend_start, lease_until)
        values (worker, run.id, run.attempt, role, backend_pid, session_start, backup._lease(run))
        on conflict (id) do update
        set role = excluded.role, lease_until = excluded.lease_until;
        update backup.log l
        set status = 'running',
            phase = coalesce(l.phase, 'planning'),
            heartbeat_at = clock_timestamp(),
            invocations = (select count(*) from backup.workers w where w.run_id = run.id)
        where l.id = run.id
        returning l.* into run;
    end if;
    return jsonb_build_object(
        'role', role,
        'run', jsonb_build_object(
            'id', run.id, 'name', run.name, 'attempt', run.attempt, 'trigger', run.trigger, 'started_at', run.started_at
        ),
        'snapshots', coalesce((
            select jsonb_agg(w.snapshot order by w.held_at desc)
            from backup.live_workers w
            where w.run_id = run.id and w.held_at is not null and w.id <> worker
        ), '[]'),
        'settings', run.settings
    );
end;
$$;

comment on function backup._register is
    'Registers a worker for a run and returns {role, run, snapshots, settings}. The role is plan, export, finish,'
    ' or none when the run does not need it. backend_pid is the process of its export session. The snapshots can '
    'be imported, newest first. Begins the next attempt when the snapshot is lost. May be repeated.';

create or replace function backup._assign_role(run backup.log, worker uuid)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    others backup.live_workers[] := array(
        select w from backup.live_workers w where w.run_id = run.id and w.id <> worker and w.working
    );
begin
    if not exists (select from backup.plans p where p.run_id = run.id) then
        return case when cardinality(others) = 0 then 'plan' else 'none' end;
    end if;
    if not exists (select from backup.slices s where s.run_id = run.id and s.finished_at is null) then
        return case when exists (select from unnest(others) o where o.role = 'finish') then 'none' else 'finish' end;
    end if;
    if cardinality(others) >= (run.settings ->> 'workers')::integer then
        return 'none';
    end if;
    -- Slices that others work on need no further worker.
    return case
        when exists (
            select
            from backup.slices s
            where s.run_id = run.id
                and s.finished_at is null
                and not exists (select from unnest(others) o where o.id = s.worker)
        ) then 'export'
        else 'none'
    end;
end;
$$;

comment on function backup._assign_role is 'Returns the role of one more worker in this attempt.';

create or replace function backup._lease(run backup.log)
returns timestamptz
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select clock_timestamp() + make_interval(secs => (run.settings ->> 'lease_seconds')::integer);
$$;

comment on function backup._lease is 'Returns when a lease that is renewed now expires.';

create or replace function backup._renew_lease(run backup.log, worker uuid)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update backup.workers w
    set lease_until = backup._lease(run)
    where w.id = worker
        and w.run_id = run.id
        and w.attempt = run.attempt
        and w.left_at is null
        and run.finished_at is null;
    if not found then
        return false;
    end if;
    update backup.log l set heartbeat_at = clock_timestamp() where l.id = run.id;
    return true;
end;
$$;

comment on function backup._renew_lease is
    'Renews the lease of a worker of a locked run; returns false when it has lost its lease to another, or the '
    'run ended or began a new attempt.';

create or replace function backup._require_lease(run backup.log, worker uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._renew_lease(run, worker) then
        raise exception 'Worker % has lost its lease on run %: the run ended or began another attempt', worker, run.id
            using errcode = 'BK001', hint = 'Stop; the run goes on without this worker.';
    end if;
end;
$$;

comment on function backup._require_lease is
    'Renews the lease of a worker; raises BK001 when it has lost it. The worker stops then, and nothing is wrong '
    'with the run.';

create or replace function backup._update_progress(run backup.log)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    update backup.log l
    set progress = (
        select jsonb_build_object(
            'slices', count(*),
            'slices_done', count(s.finished_at),
            'estimated_bytes', coalesce(sum(s.estimated_bytes), 0),
            'expected_invocations', greatest(1, ceil(sum(s.estimated_bytes) / (run.settings ->> 'invocation_bytes')::numeric)),
            'estimated_bytes_done', coalesce(sum(s.estimated_bytes) filter (where s.finished_at is not null), 0),
            'rows', coalesce(sum((s.result ->> 'rows')::bigint), 0) + doing.rows,
            'raw_bytes', coalesce(sum((s.result ->> 'raw_bytes')::bigint), 0) + doing.raw_bytes,
            'stored_bytes', coalesce(sum((s.result ->> 'stored_bytes')::bigint), 0),
            'workers', doing.workers,
            'doing', doing.progress
        )
        from (
            select
                count(*) as workers,
                coalesce(sum((w.progress ->> 'rows')::bigint), 0) as rows,
                coalesce(sum((w.progress ->> 'raw_bytes')::bigint), 0) as raw_bytes,
                coalesce(jsonb_agg(w.progress) filter (where w.progress is not null), '[]') as progress
            from backup.live_workers w
            where w.run_id = run.id and w.working
        ) doing
        left join backup.slices s on s.run_id = run.id
        group by doing.workers, doing.rows, doing.raw_bytes, doing.progress
    )
    where l.id = run.id;
$$;

comment on function backup._update_progress is
    'Writes into the log how far a run is: its finished slices, and what live workers reported of theirs.';

create or replace function backup._heartbeat(run_id bigint, worker uuid, progress jsonb default null)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    public_bucket jsonb;
begin
    if not backup._renew_lease(run, worker) then
        return false;
    end if;
    public_bucket := backup._public_bucket(run.settings ->> 'bucket');
    if public_bucket is not null then
        perform backup._end_attempt(run, public_bucket, false);
        return false;
    end if;
    update backup.workers w set progress = _heartbeat.progress where w.id = worker;
    update backup.log l
    set phase = _heartbeat.progress ->> 'phase'
    where l.id = run.id and _heartbeat.progress ->> 'phase' in ('finishing', 'verifying', 'rotating');
    perform backup._update_progress(run);
    return true;
end;
$$;

comment on function backup._heartbeat is
    'Renews a worker''s lease and records its progress: {slice, table, rows, raw_bytes} of its unfinished slice, '
    'or {phase}. Returns false when the worker must stop at once.';

create or replace function backup._public_bucket(bucket text)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._platform_has('storage.buckets') or not exists (select from storage.buckets b where b.id = bucket and b.public) then
        return null;
    end if;
    return jsonb_build_object(
        'code', 'bucket_public',
        'message', format('Cannot write backups into bucket "%s": it is public, so anybody who guesses a name downloads the whole database', bucket),
        'hint', format('Make it private: update storage.buckets set public = false where id = %L. If a backup was in it, change the secrets that the database holds.', bucket)
    );
end;
$$;

comment on function backup._public_bucket is
    'Returns the error of a bucket that is public; null when it is private, or when there is no Storage.';

create or replace function backup._capacity_error(run backup.log, estimated_bytes bigint)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    part_bytes bigint := run.settings ->> 'part_bytes';
    quota bigint := run.settings ->> 'storage_quota_bytes';
    file_limit bigint;
    stored numeric;
    expected numeric;
begin
    if not backup._platform_has('storage.buckets') then
        return null;
    end if;
    select b.file_size_limit into file_limit from storage.buckets b where b.id = run.settings ->> 'bucket';
    if file_limit < part_bytes then
        return jsonb_build_object(
            'code', 'too_large',
            'message', format(
                'Cannot store parts of up to %s bytes in bucket "%s": its limit is %s bytes', part_bytes, run.settings ->> 'bucket', file_limit
            ),
            'hint', format('Run: select backup.configure(part_bytes => %s). Or raise the limit of the bucket.', file_limit)
        );
    end if;
    select estimated_bytes * l.stored_bytes::numeric / l.raw_bytes into expected
    from backup.log l
    where l.status = 'succeeded' and l.raw_bytes > 0
    order by l.id desc
    limit 1;
    -- A row of Storage may have anything as its size.
    select coalesce(sum((o.metadata ->> 'size')::bigint), 0) into stored from storage.objects o where o.metadata ->> 'size' ~ '^[0-9]{1,18}$';
    if quota > 0 and stored + expected > quota then
        return jsonb_build_object(
            'code', 'too_large',
            'message', format(
                'Cannot store the backup: it needs about %s, and Storage already holds %s of its %s',
                pg_size_pretty(expected), pg_size_pretty(stored), pg_size_pretty(quota)
            ),
            'hint', 'Old backups stay until the new one is verified. Keep fewer with backup.configure(keep_scheduled => 2) and npm run prune, '
                'remove files, or raise storage_quota_bytes with the project''s plan.'
        );
    end if;
    return null;
end;
$$;

comment on function backup._capacity_error is
    'Returns why a plan cannot fit into Storage, or null. The size of the archive is estimated from the newest '
    'backup; before there is one, Storage itself refuses.';

create or replace function backup._store_plan(run_id bigint, worker uuid, plan jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    no_room jsonb;
begin
    perform backup._require_lease(run, worker);
    -- A repeated call changes nothing; a second planner is too late.
    if exists (select from backup.plans p where p.run_id = run.id and p.worker = _store_plan.worker) then
        return;
    elsif exists (select from backup.plans p where p.run_id = run.id) then
        raise exception 'Worker % cannot plan run %: another worker has planned it', worker, run_id
            using errcode = 'BK001', hint = 'Stop; the run goes on without this worker.';
    end if;
    no_room := coalesce(backup._public_bucket(run.settings ->> 'bucket'), backup._capacity_error(run, (plan ->> 'estimated_bytes')::bigint));
    if no_room is not null then
        -- Trying again would not help. The worker learns that it has lost its lease.
        perform backup._fail(run.id, worker, no_room, false);
        return;
    end if;
    insert into backup.plans (run_id, worker, estimated_bytes, facts)
    values (
        run.id,
        worker,
        (plan ->> 'estimated_bytes')::bigint,
        coalesce(plan -> 'facts', '{}')
    );
    insert into backup.slices (run_id, number, first_part, estimated_bytes, pieces)
    select run.id, s.number, s.first_part, s.estimated_bytes, s.pieces
    from jsonb_to_recordset(plan -> 'slices') s (number integer, first_part integer, estimated_bytes bigint, pieces jsonb);
    insert into backup.parts (run_id, name, bytes, sha256)
    select run.id, p.name, p.bytes, p.sha256
    from jsonb_to_recordset(plan -> 'parts') p (name text, bytes bigint, sha256 text);
    update backup.workers w
    set snapshot = plan ->> 'snapshot', held_at = clock_timestamp()
    where w.id = worker;
    update backup.log l
    set phase = 'exporting',
        progressed_at = clock_timestamp(),
        server_version = plan ->> 'server_version',
        tables = (plan ->> 'tables')::bigint,
        warnings = coalesce(plan -> 'warnings', '[]')
    where l.id = run.id;
    perform backup._update_progress(run);
    perform backup._reconcile_run(run.id);
end;
$$;

comment on function backup._store_plan is
    'Stores the plan of an attempt and calls further workers; its worker holds the snapshot from then on. The '
    'plan is {snapshot, server_version, tables, estimated_bytes, warnings, parts: [{name, bytes, sha256}], '
    'slices: [{number, first_part, estimated_bytes, pieces}], facts}; the manifest keeps the facts. The run fails'
    ' when the bucket is public or too small.';

create or replace function backup._tables_to_lock(run_id bigint)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(distinct piece ->> 'table'), '{}')
    from backup.slices s, jsonb_array_elements(s.pieces) piece
    where s.run_id = _tables_to_lock.run_id and s.finished_at is null and not piece ? 'largeObjects';
$$;

comment on function backup._tables_to_lock is
    'Returns the quoted names of the tables that a worker which joins the snapshot locks in access share mode: '
    'those with rows still to be read. Anybody may change the others.';

create or replace function backup._publish_snapshot(run_id bigint, worker uuid, snapshot text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    perform backup._require_lease(run, worker);
    update backup.workers w
    set snapshot = _publish_snapshot.snapshot, held_at = clock_timestamp()
    where w.id = worker;
end;
$$;

comment on function backup._publish_snapshot is
    'Records that a worker has imported the snapshot, locked the tables and exported the snapshot again, so that '
    'others may import it from its session.';

create or replace view backup.table_progress with (security_invoker = true) as
select
    s.run_id,
    p.piece ->> 'table' as table_name,
    sum((p.piece ->> 'estimatedBytes')::bigint)::bigint as estimated_bytes,
    sum(coalesce((r.result ->> 'rawBytes')::bigint, (w.progress ->> 'raw_bytes')::bigint, 0))::bigint as raw_bytes,
    sum(coalesce((r.result ->> 'rows')::bigint, 0))::bigint as rows,
    count(*) as pieces,
    count(s.finished_at) as pieces_done
from backup.slices s
cross join lateral jsonb_array_elements(s.pieces) with ordinality p (piece, place)
left join lateral (select s.result -> 'pieces' -> (p.place - 1)::integer as result) r on s.finished_at is not null
left join backup.live_workers w
    on w.run_id = s.run_id and w.id = s.worker and s.finished_at is null and (w.progress ->> 'slice')::integer = s.number
        and jsonb_array_length(s.pieces) = 1
group by s.run_id, p.piece ->> 'table';

comment on view backup.table_progress is
    'How far the newest run is, or came, with each table. A slice of many small tables counts when it is '
    'finished.';
comment on column backup.table_progress.run_id is 'The run.';
comment on column backup.table_progress.table_name is 'The table, quoted and qualified.';
comment on column backup.table_progress.estimated_bytes is 'COPY text that was expected.';
comment on column backup.table_progress.raw_bytes is 'COPY text that was exported.';
comment on column backup.table_progress.rows is 'Rows of finished pieces.';
comment on column backup.table_progress.pieces is 'Number of pieces that it was cut into.';
comment on column backup.table_progress.pieces_done is 'Number of pieces that are stored.';

create or replace function backup._claim_slice(run_id bigint, worker uuid, bytes bigint default null)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    claimed backup.slices;
begin
    if not backup._renew_lease(run, worker) then
        return null;
    end if;
    select s.* into claimed
    from backup.slices s
    where s.run_id = run.id
        and s.finished_at is null
        and (bytes is null or s.estimated_bytes <= bytes)
        and s.tries < 3
        and not exists (select from backup.live_workers w where w.id = s.worker and w.working)
    order by s.tries, s.pieces @> '[{"first": true, "last": true}]' desc, s.number
    limit 1
    -- Workers wait for the run's lock; a person who locks slices delays no worker.
    for update skip locked;
    if not found then
        return null;
    end if;
    -- A former owner whose lease expired and that comes back must not store parts beside the new one. One that died
    -- stays as it is.
    update backup.workers w
    set left_at = clock_timestamp(),
        error = coalesce(w.error, jsonb_build_object(
            'code', 'lease_lost', 'message', format('Worker %s has taken over slice %s', worker, claimed.number)
        ))
    where w.id = claimed.worker and exists (select from backup.live_workers live where live.id = w.id);
    update backup.slices s
    set worker = _claim_slice.worker, tries = s.tries + 1
    where s.run_id = run.id and s.number = claimed.number;
    -- The new owner stores the parts of a former one again, under the same names.
    delete from backup.parts p where p.run_id = run.id and p.slice_number = claimed.number;
    return jsonb_build_object(
        'number', claimed.number,
        'first_part', claimed.first_part,
        'estimated_bytes', claimed.estimated_bytes,
        'pieces', claimed.pieces
    );
end;
$$;

comment on function backup._claim_slice is
    'Gives a worker its next slice {number, first_part, estimated_bytes, pieces}, or null: one that nobody works '
    'on and whose estimate is within bytes (null for any). Slices that failed before come last, so that what '
    'killed one worker does not stop the others; pieces of large tables come after whole tables, so that '
    'migrations meet fewer unread tables.';

create or replace function backup._record_part(run_id bigint, worker uuid, slice_number integer, name text, bytes bigint, sha256 text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    perform backup._require_lease(run, worker);
    if not exists (
        select
        from backup.slices s
        where s.run_id = run.id and s.number = slice_number and s.worker = _record_part.worker and s.finished_at is null
    ) and not exists (
        select from backup.workers w where w.id = worker and w.role = 'finish' and slice_number is null
    ) then
        raise exception 'Cannot record part "%" of run %: worker % does not have slice %', name, run_id, worker, coalesce(slice_number::text, '(closing)')
            using errcode = 'BK001', hint = 'The slice is finished or another worker has it. Claim the next one.';
    end if;
    insert into backup.parts as p (run_id, name, slice_number, bytes, sha256)
    values (run.id, _record_part.name, _record_part.slice_number, _record_part.bytes, _record_part.sha256)
    on conflict on constraint parts_pkey do update
    set slice_number = excluded.slice_number,
        bytes = excluded.bytes,
        sha256 = excluded.sha256,
        stored_at = excluded.stored_at,
        verified_at = null;
end;
$$;

comment on function backup._record_part is
    'Records a stored part; slice_number is null for a closing part, which only the finisher stores. May be '
    'repeated. Raises BK001 when another worker has the slice.';

create or replace function backup._finish_slice(run_id bigint, worker uuid, number integer, result jsonb)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    if not backup._renew_lease(run, worker) then
        return false;
    end if;
    update backup.slices s
    set finished_at = clock_timestamp(), result = _finish_slice.result
    where s.run_id = run.id
        and s.number = _finish_slice.number
        and s.worker = _finish_slice.worker
        and s.finished_at is null;
    if not found then
        return exists (
            select
            from backup.slices s
            where s.run_id = run.id and s.number = _finish_slice.number and s.worker = _finish_slice.worker
        );
    end if;
    update backup.workers w set progress = null where w.id = worker;
    update backup.log l set progressed_at = clock_timestamp() where l.id = run.id;
    perform backup._update_progress(run);
    -- Repeats a call that came to nothing now, not in a minute.
    perform backup._reconcile_run(run.id);
    return true;
end;
$$;

comment on function backup._finish_slice is
    'Marks a slice as finished with {rows, raw_bytes, stored_bytes, pieces}; returns false when another worker '
    'has it. May be repeated.';

create or replace function backup._release(run_id bigint, worker uuid, error jsonb default null)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    stays boolean;
begin
    -- A worker without a lease holds a snapshot that is not needed.
    if not backup._renew_lease(run, worker) then
        return true;
    end if;
    -- A slice that was given back in good order did not fail.
    update backup.slices s
    set worker = null, tries = s.tries - case when _release.error is null then 1 else 0 end
    where s.run_id = run.id and s.worker = _release.worker and s.finished_at is null;
    stays := exists (select from backup.slices s where s.run_id = run.id and s.finished_at is null)
        and exists (select from backup.workers w where w.id = worker and w.held_at is not null)
        and not exists (
            select
            from backup.live_workers w
            where w.run_id = run.id and w.id <> worker and w.working and w.held_at is not null
        );
    update backup.workers w
    set error = coalesce(w.error, _release.error),
        progress = null,
        leaving_at = coalesce(w.leaving_at, clock_timestamp()),
        left_at = case when not stays then clock_timestamp() end
    where w.id = worker;
    perform backup._reconcile_run(run.id);
    return not stays;
end;
$$;

comment on function backup._release is
    'Gives a worker''s unfinished slices back and lets it leave. Returns false while it is the last that holds a '
    'snapshot still needed: it keeps its session and asks again; a successor has been called. The error {code, '
    'message, hint} says why it gives up; the code worker_ended, for an isolate that is being stopped, counts as '
    'a death.';

create or replace function backup._claim_finish(run_id bigint, worker uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    if not backup._renew_lease(run, worker)
        or not exists (select from backup.plans p where p.run_id = run.id)
        or exists (select from backup.slices s where s.run_id = run.id and s.finished_at is null)
        or exists (
            select from backup.live_workers w where w.run_id = run.id and w.id <> worker and w.role = 'finish' and w.working
        )
    then
        return null;
    end if;
    -- A former finisher, whether its lease expired or its session has ended, must not continue beside this one: they
    -- would write two manifests. Its error records that it ended in the middle of its work.
    update backup.workers w
    set left_at = clock_timestamp(),
        error = coalesce(w.error, jsonb_build_object(
            'code', case
                when exists (select from backup.live_workers live where live.id = w.id)
                    or w.backend_start <= pg_postmaster_start_time() then 'lease_lost'
                else 'worker_ended'
            end,
            'message', format('Worker %s has taken over finishing', worker)
        ))
    where w.run_id = run.id
        and w.attempt = run.attempt
        and w.role = 'finish'
        and w.id <> worker
        and w.left_at is null;
    update backup.workers w set role = 'finish' where w.id = worker;
    update backup.log l set phase = 'finishing' where l.id = run.id returning l.* into run;
    return jsonb_build_object(
        'slices', (
            select coalesce(jsonb_agg(
                jsonb_build_object('number', s.number, 'first_part', s.first_part, 'pieces', s.pieces, 'result', s.result)
                order by s.number
            ), '[]')
            from backup.slices s
            where s.run_id = run.id
        ),
        'parts', (
            select coalesce(jsonb_agg(to_jsonb(p) - '{run_id}'::text[] order by p.name), '[]')
            from backup.parts p
            where p.run_id = run.id
        ),
        'facts', (select p.facts from backup.plans p where p.run_id = run.id),
        'run', to_jsonb(run) - '{settings,progress}'::text[],
        'settings', run.settings,
        'log', (
            select jsonb_agg(jsonb_build_object(
                'name', l.name,
                'trigger', l.trigger,
                'status', l.status,
                'started_at', l.started_at,
                'verified_at', l.verified_at,
                'pinned', l.pinned
            ) order by l.id)
            from backup.log l
            where l.removed_at is null
        )
    );
end;
$$;

comment on function backup._claim_finish is
    'Makes a worker the finisher and returns {slices, parts, facts, run, settings, log}, where log has every run '
    'that may have left something in the bucket. Null while slices are unfinished or another worker finishes.';

create or replace function backup._require_finisher(run backup.log, worker uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_lease(run, worker);
    if not exists (select from backup.workers w where w.id = worker and w.role = 'finish') then
        raise exception 'Worker % is not the finisher of run %', worker, run.id
            using errcode = 'BK001', hint = 'Claim the finish with backup._claim_finish() first.';
    end if;
end;
$$;

comment on function backup._require_finisher is 'Renews the finisher''s lease; raises BK001 for any other worker.';

create or replace function backup._mark_part_verified(run_id bigint, worker uuid, name text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    perform backup._require_finisher(run, worker);
    update backup.parts p
    set verified_at = coalesce(p.verified_at, clock_timestamp())
    where p.run_id = run.id and p.name = _mark_part_verified.name;
    if not found then
        raise exception 'Run % has no part "%"', run_id, name
            using errcode = 'no_data_found', hint = 'Record the part with backup._record_part() first.';
    end if;
    update backup.log l set progressed_at = clock_timestamp() where l.id = run.id;
end;
$$;

comment on function backup._mark_part_verified is
    'Records that a part was read back from Storage with the right checksum. Raises BK001 for anybody but the '
    'finisher.';

create or replace function backup._succeed(run_id bigint, worker uuid, result jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    unverified bigint;
    public_bucket jsonb;
begin
    if run.status = 'succeeded' and exists (
        select
        from backup.workers w
        where w.id = worker and w.run_id = run.id and w.role = 'finish' and w.left_at is not null and w.error is null
    ) then
        return;
    end if;
    perform backup._require_finisher(run, worker);
    select count(*) into unverified from backup.parts p where p.run_id = run.id and p.verified_at is null;
    if unverified > 0 then
        raise exception 'Run % cannot succeed: % parts are not verified', run_id, unverified
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Read every part back and record it with backup._mark_part_verified() first.';
    end if;
    -- A backup that anybody may read is not a success.
    public_bucket := backup._public_bucket(run.settings ->> 'bucket');
    if public_bucket is not null then
        perform backup._end_attempt(run, public_bucket, false);
        return;
    end if;
    -- A run without a death shows that the budgets can be larger again.
    if run.attempt = 1 and not backup._worker_died(run) then
        update backup.settings s set budget_halvings = s.budget_halvings - 1 where s.budget_halvings > 0;
    end if;
    update backup.log l
    set status = 'succeeded',
        phase = null,
        finished_at = clock_timestamp(),
        heartbeat_at = clock_timestamp(),
        verified_at = clock_timestamp(),
        rows = (result ->> 'rows')::bigint,
        raw_bytes = (result ->> 'raw_bytes')::bigint,
        stored_bytes = (result ->> 'stored_bytes')::bigint,
        parts = (result ->> 'parts')::bigint,
        checksum = result ->> 'checksum',
        warnings = l.warnings || coalesce(result -> 'warnings', '[]')
    where l.id = run.id;
    update backup.workers w set left_at = clock_timestamp() where w.id = worker;
end;
$$;

comment on function backup._succeed is
    'Ends a run as succeeded, with {rows, raw_bytes, stored_bytes, parts, checksum, warnings}. May be repeated by'
    ' the same finisher. Raises an error while a part is not verified; fails the run when the bucket is public.';

create or replace function backup._fail(run_id bigint, worker uuid, error jsonb, retry boolean)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    again boolean;
begin
    if not backup._renew_lease(run, worker) then
        return false;
    end if;
    -- The holder that it wanted to import from has just left; the snapshot is not lost while another worker holds it.
    if error ->> 'code' = 'snapshot_lost' and exists (
        select from backup.live_workers w where w.run_id = run.id and w.id <> worker and w.held_at is not null
    ) then
        return backup._release(run.id, worker, error);
    end if;
    -- It leaves before its session ends, so this does not count as a death.
    update backup.workers w set left_at = clock_timestamp(), error = _fail.error where w.id = worker;
    again := backup._end_attempt(run, error, retry);
    perform backup._reconcile_run(run.id);
    return again;
end;
$$;

comment on function backup._fail is
    'Ends an attempt with an error {code, message, hint}. Returns true when another attempt begins, false when '
    'the run has failed or the worker has lost its lease. A worker that came too late for a snapshot which others'
    ' still hold only leaves (true).';

create or replace function backup._mark_removed(name text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    update backup.log l
    set removed_at = clock_timestamp(), pinned = false
    where l.name = _mark_removed.name and l.removed_at is null and l.finished_at is not null;
$$;

comment on function backup._mark_removed is
    'Records that rotation has removed a backup from the bucket, and unpins it if somebody pinned it meanwhile.';

create table if not exists backup.table_rows (
    run_id bigint not null references backup.log (id) on delete cascade,
    schema text not null,
    name text not null,
    rows bigint not null,
    raw_bytes bigint not null,

    primary key (run_id, schema, name),
    constraint counted check (rows >= 0 and raw_bytes >= 0)
);

alter table backup.table_rows enable row level security;

comment on table backup.table_rows is
    'Rows of each table in the newest ten backups, which show a table that became empty.';
comment on column backup.table_rows.run_id is 'The run.';
comment on column backup.table_rows.schema is 'Schema of the table.';
comment on column backup.table_rows.name is 'The table.';
comment on column backup.table_rows.rows is 'Rows in the backup, counted by COPY itself.';
comment on column backup.table_rows.raw_bytes is 'COPY text before compression.';

create or replace function backup._replace_table_counts(run_id bigint, tables jsonb)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    delete from backup.table_rows t where t.run_id = _replace_table_counts.run_id;
    insert into backup.table_rows (run_id, schema, name, rows, raw_bytes)
    select _replace_table_counts.run_id, t.schema, t.name, t.rows, t."rawBytes"
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

comment on function backup._replace_table_counts is
    'Stores the rows of each table [{schema, name, rows, rawBytes}] of a run, and forgets those of all but the '
    'newest ten backups.';

create or replace function backup._record_table_counts(run_id bigint, worker uuid, tables jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    perform backup._require_finisher(run, worker);
    perform backup._replace_table_counts(run.id, tables);
end;
$$;

comment on function backup._record_table_counts is
    'Stores the finisher''s counts of each table. May be repeated. Raises BK001 for anybody else.';

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
            'Run npm run backup or select backup.start(). See earlier runs with: select * from backup.log order by started_at desc'
        );
    elsif backup._is_future(newest.started_at) then
        return next backup._reason(
            'clock_wrong', 'warning',
            format('The newest verified backup, %s, began in the future: the clock was or is wrong, so its age is unknown', newest.name),
            'Check the server''s clock (select now()), then make another backup: npm run backup'
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
    if found and greatest(run.heartbeat_at, run.started_at) < now() - interval '15 minutes' then
        return next backup._reason(
            'run_silent', 'failing',
            format('Run %s (%s) has sent no heartbeat since %s', run.id, run.name, greatest(run.heartbeat_at, run.started_at)),
            format('The daily check ends it. To end it now: select backup.cancel(%s)', run.id)
        );
    elsif not found then
        -- While a run rotates, a backup may be removed from the bucket but not yet from the log.
        select string_agg(b.name, ', ') into lost from backup._stored_backups() b where not b.whole;
        if lost is not null then
            return next backup._reason(
                'backup_lost', 'warning',
                format('Backups in the log are missing from the bucket or incomplete: %s', lost),
                'Somebody or something else removes objects from the bucket. Run npm run verify -- --backup NAME to see what is missing.'
            );
        end if;
    end if;
end;
$$;

comment on function backup._check_runs is
    'Checks that there is a good backup, that it is young enough for the schedule, and how the last run ended.';

create or replace function backup._check_shrinkage()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
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
    where u.rows >= 10 and coalesce(t.rows, 0) = 0 or u.rows >= 100 and t.rows * 2 < u.rows;
    if tables is not null then
        return next backup._reason(
            'tables_shrank', 'warning',
            format('%s tables in %s lost all or half of their rows: %s', cardinality(tables), newest.name, array_to_string(tables[1:5], ', '))
                || case when cardinality(tables) > 5 then ', …' else '' end,
            'If this was not intended, keep an older backup now: select backup.pin(name). npm run restore -- --table restores single tables.'
        );
    end if;
end;
$$;

comment on function backup._check_shrinkage is
    'Checks whether rows vanished from the newest backup. It is compared with the median of up to four before it:'
    ' one odd backup decides nothing, and a loss is reported until three backups have it. Tables below ten rows '
    '(a hundred, where half are gone) are ignored.';

create or replace function backup._check_drills()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    drill backup.drills;
    hint constant text := 'Run npm run drill, which restores the newest backup into a scratch database and compares them. docs/drill.yml does it on a schedule.';
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
    elsif drill.started_at < now() - interval '100 days' then
        return next backup._reason(
            'drill_old', 'warning', format('The last drill was %s days ago', extract(day from now() - drill.started_at)), hint
        );
    end if;
end;
$$;

comment on function backup._check_drills is
    'Checks that a backup was ever restored to see whether it can be. A new project has a month for its first '
    'drill.';

create or replace function backup._backup_schedule()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._platform_has('cron.job') then
        return null;
    end if;
    return (select j.schedule from cron.job j where j.jobname = 'backup-weekly' and j.database = current_database() and j.username = current_user order by j.active desc limit 1);
end;
$$;

comment on function backup._backup_schedule is 'Returns the schedule of the job that starts backups, or null.';

create or replace function backup._check_jobs()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    job record;
    details record;
    schedule_again constant text := 'For Sundays at three, UTC, run: select backup.schedule(''0 3 * * 0'')';
begin
    if not backup._platform_has('cron.job') then
        return next backup._reason(
            'cron_missing', 'failing', 'pg_cron is not installed, so nothing starts backups',
            'Enable pg_cron under Integrations in the dashboard, then run: select backup.schedule(''0 3 * * 0''); select backup.schedule_check()'
        );
        return;
    end if;
    select j.* into job from cron.job j where j.jobname = 'backup-weekly' and j.database = current_database() and j.username = current_user order by j.active desc limit 1;
    if not found then
        return next backup._reason('job_missing', 'failing', 'No job starts backups: cron.job has no backup-weekly', schedule_again);
    elsif not job.active then
        return next backup._reason(
            'job_inactive', 'failing', 'The job that starts backups is disabled', format('Run: select cron.alter_job(%s, active := true)', job.jobid)
        );
    elsif job.command !~ 'backup\.start\(' then
        return next backup._reason(
            'job_changed', 'failing', format('The job backup-weekly runs something else: %s', left(job.command, 100)), schedule_again
        );
    elsif backup._interval_of(job.schedule) is null then
        return next backup._reason(
            'schedule_unclear', 'warning', format('The schedule "%s" of job backup-weekly is invalid or never fires', job.schedule), schedule_again
        );
    end if;
    if job.jobid is not null and backup._platform_has('cron.job_run_details') then
        select d.status, d.return_message into details
        from cron.job_run_details d
        where d.jobid = job.jobid and d.status in ('succeeded', 'failed')
        order by d.runid desc
        limit 1;
        if details.status = 'failed' then
            return next backup._reason(
                'job_failed', 'failing', format('pg_cron could not run job backup-weekly: %s', left(details.return_message, 200)),
                'See: select * from cron.job_run_details order by runid desc limit 20'
            );
        end if;
    end if;
    select j.* into job from cron.job j where j.jobname = 'backup-daily' and j.database = current_database() and j.username = current_user order by j.active desc limit 1;
    if not coalesce(job.active, false) then
        return next backup._reason(
            'check_missing', 'warning', 'The daily check does not run: job backup-daily is missing or disabled', 'Run: select backup.schedule_check()'
        );
    elsif (select max(e.seen_at) from backup.events e) < now() - interval '50 hours' then
        return next backup._reason(
            'check_silent', 'warning',
            format('The daily check last ran %s', (select max(e.seen_at) from backup.events e)),
            'pg_cron does not run it. See: select * from cron.job_run_details order by runid desc limit 20'
        );
    end if;
end;
$$;

comment on function backup._check_jobs is 'Checks that pg_cron will start the next backup.';

create or replace function backup._check_environment()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    settings backup.settings;
    bucket record;
    waiting bigint;
    stored numeric;
begin
    -- A session may set it for itself; only the server and the database set it for everybody.
    if pg_is_in_recovery() or exists (
        select from pg_settings s
        where s.name = 'default_transaction_read_only' and s.setting = 'on' and s.source in ('configuration file', 'command line', 'database')
    ) then
        return next backup._reason(
            'database_read_only', 'failing', 'The database is read-only, so no backup can start or end',
            'Supabase does so when the disk is nearly full. Free space or enlarge the disk (Settings, Database), and see its guide on read-only mode.'
        );
    end if;
    select s.* into settings from backup.settings s;
    if settings.function_url is null then
        return next backup._reason(
            'not_configured', 'failing', 'function_url is not set, so no backup can start',
            'Run: select backup.configure(function_url => ''https://<project-ref>.supabase.co/functions/v1/backup'')'
        );
    end if;
    if not backup._platform_has('net.http_post(text, jsonb, jsonb, jsonb, integer)') then
        return next backup._reason(
            'net_missing', 'failing', 'pg_net is not installed, so nothing can call the function', 'Enable pg_net under Integrations in the dashboard.'
        );
    elsif backup._net_trigger() is not null then
        return next backup._reason(
            'net_unsafe', 'failing', format('The trigger "%s" on net.http_request_queue would run with our rights, so the function is not called', backup._net_trigger()),
            format('Run: drop trigger %I on net.http_request_queue. Find out who created it: any role can.', backup._net_trigger())
        );
    else
        -- More than the worker takes in one batch.
        select count(*) into waiting from net.http_request_queue;
        if waiting > 200 then
            return next backup._reason(
                'net_stuck', 'warning', format('%s requests wait in pg_net''s queue', waiting),
                'If the number does not fall, run: select net.worker_restart()'
            );
        end if;
    end if;
    if not backup._platform_has('storage.buckets') then
        return next backup._reason('storage_missing', 'failing', 'This database has no Storage', 'Install the backup in a Supabase project.');
        return;
    end if;
    select b.public, b.file_size_limit into bucket from storage.buckets b where b.id = settings.bucket;
    if not found then
        return next backup._reason(
            'bucket_missing', 'failing', format('Bucket "%s" does not exist', settings.bucket),
            format('Run: insert into storage.buckets (id, name, public) values (%1$L, %1$L, false)', settings.bucket)
        );
    elsif bucket.public then
        return next backup._reason(
            'bucket_public', 'failing', format('Bucket "%s" is public, so anybody who guesses a name downloads the whole database', settings.bucket),
            format('Run: update storage.buckets set public = false where id = %L', settings.bucket)
        );
    elsif bucket.file_size_limit < settings.part_bytes then
        return next backup._reason(
            'bucket_limit', 'failing',
            format('The bucket''s limit for a file is %s bytes, but parts have up to %s', bucket.file_size_limit, settings.part_bytes),
            format('Run: select backup.configure(part_bytes => %s). Or raise the limit of the bucket.', bucket.file_size_limit)
        );
    end if;
    select sum((o.metadata ->> 'size')::bigint) into stored
    from storage.objects o
    where o.bucket_id = settings.bucket and o.metadata ->> 'size' ~ '^[0-9]{1,18}$';
    if stored > 800000000 then
        return next backup._reason(
            'space', 'info', format('The backups use %s MB of Storage; the free plan has 1 GB for everything', round(stored / 1e6)),
            'To keep fewer, run select backup.configure(keep_scheduled => 2), then npm run prune.'
        );
    end if;
end;
$$;

comment on function backup._check_environment is
    'Checks that a run can reach the function, and that the bucket can take a backup.';

create or replace function backup._check_settings()
returns setof jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select backup._reason(rule.code, 'warning', rule.message, rule.hint)
    from backup.settings s,
        lateral (
            values
                (
                    s.keep_scheduled + s.keep_weekly + s.keep_monthly + s.keep_yearly < 2, 'keeps_one',
                    'Only one scheduled backup is kept, so damage from before it cannot be undone',
                    'Run: select backup.configure(keep_scheduled => 4)'
                ),
                (
                    s.lock_timeout_ms > 100000, 'lock_timeout_long',
                    format('A backup waits %s s for a locked table; an invocation on the free plan ends after 150 s', s.lock_timeout_ms / 1000),
                    'Run: select backup.configure(lock_timeout_ms => 10000)'
                ),
                (
                    s.max_attempts = 1, 'one_attempt', 'A run has one attempt, so one restart of a worker ends it',
                    'Run: select backup.configure(max_attempts => 3)'
                ),
                (
                    s.lease_seconds > 600, 'lease_long', format('A worker that hangs is noticed only after %s s', s.lease_seconds),
                    'Run: select backup.configure(lease_seconds => 60)'
                ),
                (
                    s.budget_halvings >= 3, 'workers_die', format('Workers reached their limits, and the budgets were halved %s times', s.budget_halvings),
                    'Check the logs of the function for limits of CPU or memory. See how attempts ended with: select attempts from backup.log'
                )
        ) rule (broken, code, message, hint)
    where rule.broken;
$$;

comment on function backup._check_settings is 'Checks for settings that are allowed but weaken backups.';

create table if not exists backup.events (
    id bigint generated always as identity primary key,
    noticed_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    verdict text not null,
    previous_verdict text,
    reasons jsonb not null,

    constraint verdict_known check (verdict in ('ok', 'warning', 'failing'))
);

alter table backup.events enable row level security;

comment on table backup.events is
    'What changed about the health of the backups, at the end of a run or in the daily check; the newest row is '
    'the present state. select * from backup.events order by id desc';
comment on column backup.events.id is 'Number of the event.';
comment on column backup.events.noticed_at is 'When it was first recorded.';
comment on column backup.events.seen_at is 'When a check last found it unchanged.';
comment on column backup.events.verdict is 'ok, warning or failing; ok after another verdict is a recovery.';
comment on column backup.events.previous_verdict is 'The verdict before; null for the first check.';
comment on column backup.events.reasons is 'The reasons at that time: code, severity, message, hint.';

create table if not exists backup.channels (
    name text primary key,
    state text not null,
    problem text,
    since timestamptz not null default clock_timestamp(),
    reported_at timestamptz not null default clock_timestamp(),

    constraint state_known check (state in ('on', 'off', 'wrong')),
    constraint problem_when_wrong check ((state = 'wrong') = (problem is not null))
);

alter table backup.channels enable row level security;

comment on table backup.channels is
    'Channels for alerts and pings, as the function last reported them. Their addresses and keys are secrets of '
    'the function and never come here.';
comment on column backup.channels.name is 'webhook, slack, discord, teams, email or ping.';
comment on column backup.channels.state is
    'on, off (its variables are not set) or wrong (they are set but unusable).';
comment on column backup.channels.problem is 'What is wrong; it contains no secret.';
comment on column backup.channels.since is 'When it entered this state: a new channel is not told of older events.';
comment on column backup.channels.reported_at is 'When the function last reported it.';

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

comment on table backup.alerts is
    'One row for each attempt to deliver an event; each event is delivered once on each channel. select * from '
    'backup.alerts order by id desc';
comment on column backup.alerts.id is 'Number of the attempt.';
comment on column backup.alerts.event_id is 'The event of backup.events; null for a test (npm run alert:test).';
comment on column backup.alerts.channel is 'The channel''s name.';
comment on column backup.alerts.attempt is 'Number of the attempt; counting restarts after a success.';
comment on column backup.alerts.made_at is 'When it was recorded.';
comment on column backup.alerts.outcome is 'sent (the receiver answered 2xx) or failed.';
comment on column backup.alerts.status is 'HTTP status of the answer, or null.';
comment on column backup.alerts.error is 'Why it failed; it contains no secret.';
comment on column backup.alerts.milliseconds is 'How long it took.';

create or replace function backup._check_alerts()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    channel record;
    since timestamptz;
begin
    if not exists (select from backup.channels c where c.state <> 'off') then
        return next backup._reason(
            'no_alerts', 'info', 'No alert channel is configured, so nobody is notified when a backup fails',
            'Configure one as in docs/alerts.md, and try it with npm run alert:test.'
        );
    end if;
    for channel in select c.name, c.problem from backup.channels c where c.state = 'wrong' order by c.name loop
        return next backup._reason(
            'channel_wrong', 'warning', format('Alert channel %s is misconfigured: %s', channel.name, channel.problem),
            'Run: supabase secrets set NAME=value, as in docs/alerts.md. Then run: npm run alert:test'
        );
    end loop;
    -- An hour of failures is more than a hiccup. Any success since then, also of a test, clears it.
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
            format('Alert channel %s has failed since %s: %s', channel.name, date_trunc('second', channel.first_at), channel.last_error),
            'Run npm run alert:test to see what it answers now.'
        );
    end loop;
    select min(c.created_at) into since
    from backup.calls c
    where c.purpose = 'alert' and c.created_at > coalesce((select max(r.reported_at) from backup.channels r), '-infinity');
    if since < now() - interval '1 hour' then
        return next backup._reason(
            'function_silent', 'warning', format('The function has not answered calls for alerts since %s', date_trunc('second', since)),
            'Check that it is deployed, and its logs. See pg_net''s responses with: select * from net._http_response order by id desc limit 5'
        );
    end if;
end;
$$;

comment on function backup._check_alerts is 'Checks that somebody would be notified of a failure.';

create or replace function backup._check_copies()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    wanted text := (select s.second_copy from backup.settings s);
    newest record;
    kept record;
begin
    if wanted is null or wanted = 'none' then
        return next backup._reason(
            'one_copy', case when wanted = 'none' then 'info' else 'warning' end,
            'The backups are stored only in the project that they back up, and are lost with it',
            case
                when wanted = 'none' then 'To send each backup to a bucket elsewhere, see docs/second-copy.md.'
                else 'To send each backup to a bucket elsewhere, see docs/second-copy.md. To opt out: select backup.configure(second_copy => ''none'')'
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
            format('%s has no second copy: %s', newest.name, newest.error ->> 'message'), newest.error ->> 'hint'
        );
    elsif newest.failures >= 3 then
        return next backup._reason(
            'copy_failed', 'warning', format('The second copy of %s exists, but a later step failed: %s', newest.name, newest.error ->> 'message'),
            newest.error ->> 'hint'
        );
    elsif newest.verified_at is null and newest.finished_at < now() - interval '6 hours' then
        return next backup._reason(
            'copy_late', 'warning', format('%s, made %s, has no second copy yet', newest.name, newest.finished_at),
            'Run: select backup.copy(). Check the logs of the function.'
        );
    end if;
    if newest.files_left > 0 then
        return next backup._reason(
            'files_left', 'info', format('%s of Storage''s files are not in the second copy: they are larger than 50 MB or missing from Storage', newest.files_left),
            'See: select * from backup.copied_files where error is not null. The inventory of the backup has all sizes.'
        );
    end if;
    -- The service may keep objects, because of a lock or a missing privilege: worth knowing, since they are paid for.
    select count(*) as copies, min(c.error ->> 'message') as message into kept
    from backup.copies c
    join backup.log l on l.id = c.run_id
    where l.removed_at is not null and c.removed_at is null and c.failures >= 3;
    if kept.copies > 0 then
        return next backup._reason(
            'copies_kept', 'info', format('%s copies of removed backups could not be removed: %s', kept.copies, kept.message),
            'A lifecycle rule of the bucket can remove them; see docs/second-copy.md.'
        );
    end if;
end;
$$;

comment on function backup._check_copies is
    'Checks that there is a second copy outside the project. Having none is a warning until second_copy is set to'
    ' none.';

create or replace function backup.examine()
returns table (verdict text, reasons jsonb, facts jsonb, checked_at timestamptz)
language sql
stable
-- service_role may read neither jobs nor Storage's tables itself.
security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

comment on function backup.examine is
    'Checks everything and returns the row of backup.health. The verdict is the worst severity among the reasons.';

create or replace view backup.health with (security_invoker = true) as
select verdict, reasons, facts, checked_at from backup.examine();

comment on view backup.health is 'How the backups are: one row.';
comment on column backup.health.verdict is
    'ok, warning (look into it) or failing (there is, or soon will be, no backup to go back to).';
comment on column backup.health.reasons is
    'Why: code, severity, message, hint; the worst first. Those of severity info do not count.';
comment on column backup.health.facts is 'newest_backup, backups, schedule, longest_wait, bucket, last_drill.';
comment on column backup.health.checked_at is 'When it was looked at: now.';

create or replace function backup.check()
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    verdict text;
begin
    perform backup._lock_starts();
    perform backup._fail_abandoned_run();
    verdict := backup._record_event();
    -- An error that keeps the function from being called must not undo the record of it.
    begin
        perform backup._reconcile();
    exception
        when others then
            raise warning 'Cannot call the function: %', sqlerrm using hint = 'See select * from backup.health.';
    end;
    return verdict;
end;
$$;

comment on function backup.check is
    'Runs the daily check and returns the verdict. It fails a run that was left behind, records in backup.events '
    'what has changed, and calls for alerts and copies that are pending. It never re-enables a job: only a person'
    ' knows whether it was meant to go.';

create or replace function backup._record_event()
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    now_found record;
    before backup.events;
begin
    perform backup._lock_work();
    select h.verdict, h.reasons into now_found from backup.health h;
    select e.* into before from backup.events e order by e.id desc limit 1;
    if before.verdict = now_found.verdict and backup._alarm_codes(before.reasons) = backup._alarm_codes(now_found.reasons) then
        update backup.events e set seen_at = clock_timestamp(), reasons = now_found.reasons where e.id = before.id;
    else
        insert into backup.events (verdict, previous_verdict, reasons) values (now_found.verdict, before.verdict, now_found.reasons);
    end if;
    return now_found.verdict;
end;
$$;

comment on function backup._record_event is
    'Checks everything, records it in backup.events when it has changed, and returns the verdict. It runs daily '
    'and at the end of each run.';

create or replace function backup._alarm_codes(reasons jsonb)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(distinct reason ->> 'code' order by reason ->> 'code'), '{}')
    from jsonb_array_elements(reasons) reason
    where reason ->> 'severity' <> 'info';
$$;

comment on function backup._alarm_codes is
    'Returns the codes of the reasons that count. Those of severity info make no event, and neither does a '
    'message whose figures change.';

create or replace function backup.schedule_check(schedule text default '23 6 * * *')
returns bigint
language plpgsql
-- The job must belong to the owner of the schema, whichever role calls.
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup.is_schedule(schedule) then
        raise exception 'Invalid schedule "%": it is not a cron schedule of five fields, or never fires', schedule
            using errcode = 'invalid_parameter_value',
                hint = 'Give minute, hour, day of month, month and day of week (UTC), such as 23 6 * * * for every day at 6:23.';
    end if;
    return backup._schedule_job('backup-daily', schedule, 'select backup.check()');
end;
$$;

comment on function backup.schedule_check is
    'Checks the backups on this cron schedule (UTC) from now on and returns the job''s number. Example: select '
    'backup.schedule_check(''0 7 * * *'')';

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
        -- A restored database ends the run that made the backup as abandoned or cancelled; the manifest proves that it went on.
        if run.id is not null and coalesce(run.error_code not in ('abandoned', 'cancelled'), true) then
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
    'checksum, warnings, bucket, table_rows}]. Only what a manifest proves is changed; a second time nothing is.';

create table if not exists backup.copies (
    run_id bigint primary key references backup.log (id) on delete cascade,
    begun_at timestamptz not null default clock_timestamp(),
    verified_at timestamptz,
    checked_at timestamptz,
    objects bigint,
    bytes bigint,
    failures integer not null default 0,
    failed_at timestamptz,
    retry_at timestamptz,
    error jsonb,
    removed_at timestamptz,
    files_at timestamptz,
    files_left bigint,

    constraint failures_range check (failures >= 0),
    -- A complete copy has a size.
    constraint verified_with_size check (verified_at is null or (objects is not null and bytes is not null)),
    constraint failed_with_reason check ((failed_at is null) = (error is null))
);

alter table backup.copies enable row level security;

comment on table backup.copies is
    'Second copies of backups, outside the project; only the function knows where. select * from backup.copies '
    'order by run_id desc';
comment on column backup.copies.run_id is 'The run whose backup it is.';
comment on column backup.copies.begun_at is 'When copying began.';
comment on column backup.copies.verified_at is
    'When all its objects were in the second bucket with the size and checksum of the manifest.';
comment on column backup.copies.checked_at is 'When they were last checked there.';
comment on column backup.copies.objects is 'Objects of the copy, including the manifest.';
comment on column backup.copies.bytes is 'Bytes of all of them.';
comment on column backup.copies.failures is 'Failures in a row; 0 after any success.';
comment on column backup.copies.failed_at is 'When the last failure happened; null after any success.';
comment on column backup.copies.retry_at is 'When it is tried again at the earliest.';
comment on column backup.copies.error is 'The last failure: code, message, hint.';
comment on column backup.copies.removed_at is
    'When it was removed from the second bucket, after rotation had removed the backup from the first.';
comment on column backup.copies.files_at is 'When the files of Storage of that time had been copied.';
comment on column backup.copies.files_left is
    'Files that could not be copied: larger than 50 MB, or missing from Storage.';

create table if not exists backup.copied (
    run_id bigint not null references backup.copies (run_id) on delete cascade,
    name text not null,
    bytes bigint not null,
    sha256 text not null,
    copied_at timestamptz not null default clock_timestamp(),

    primary key (run_id, name),
    constraint name_form check (name ~ '^[A-Za-z0-9_-][A-Za-z0-9._-]*$'),
    constraint bytes_range check (bytes >= 0),
    constraint sha256_form check (sha256 ~ '^[0-9a-f]{64}$')
);

alter table backup.copied enable row level security;

comment on table backup.copied is
    'Objects of copies that have arrived, so that an invocation continues where another one ended.';
comment on column backup.copied.run_id is 'The copy.';
comment on column backup.copied.name is 'Name of the object in the backup''s folder.';
comment on column backup.copied.bytes is 'Its size.';
comment on column backup.copied.sha256 is 'The SHA-256 that it was stored with.';
comment on column backup.copied.copied_at is 'When it arrived.';

create or replace function backup._copy_tasks()
returns table (run_id bigint, action text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    with known as (
        select
            l.id, l.trigger, l.started_at, l.removed_at as backup_removed_at, c.run_id, c.verified_at, c.checked_at, c.removed_at, c.retry_at, c.files_at,
            c.verified_at is not null and c.removed_at is null as whole,
            count(*) filter (where c.verified_at is not null and c.removed_at is null) over (partition by l.trigger order by l.started_at desc, l.id desc)
                as whole_ones
        from backup.log l
        left join backup.copies c on c.run_id = l.id
        where l.status = 'succeeded'
    )
    select k.id, task.action
    from backup.settings s, known k,
        lateral (
            select case
                when k.backup_removed_at is null and not k.whole then 'copy'
                when k.backup_removed_at is not null and k.run_id is not null and k.removed_at is null
                    and k.whole_ones > case when not k.whole then 0 when k.trigger = 'scheduled' then s.keep_scheduled else s.keep_manual end then 'remove'
                when k.whole and k.files_at is null and s.second_copy = 's3_with_files' and k.id = (
                    select n.id from known n where n.backup_removed_at is null order by n.started_at desc limit 1
                ) then 'files'
                when k.whole and k.checked_at < clock_timestamp() - interval '20 hours' then 'check'
            end
        ) task (action)
    where s.second_copy in ('s3', 's3_with_files') and task.action is not null and (k.retry_at is null or k.retry_at <= clock_timestamp())
    order by array_position('{copy,remove,files,check}', task.action), case when task.action = 'remove' then k.started_at end, k.started_at desc;
$$;

comment on function backup._copy_tasks is
    'Returns what is to be done for the second copy, most urgent first: copy a backup (newest first), remove a '
    'copy whose backup rotation has removed (oldest first), copy new files of Storage, check a copy that was not '
    'checked for a day. A whole copy is removed only when as many newer ones of its trigger are whole as rotation'
    ' keeps here: copies of backups that were lost here stay.';

create or replace function backup._copies_pending()
returns setof bigint
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select t.run_id from backup._copy_tasks() t
    union
    select c.run_id from backup.copies c where c.retry_at > clock_timestamp() and c.failures < 7;
$$;

comment on function backup._copies_pending is
    'Returns the copies for which backup.watch() keeps looking: those due now, and those that wait after a '
    'failure, up to the seventh in a row.';

create or replace function backup.copy()
returns void
language plpgsql
-- service_role may ask for copies, but neither write their table nor own the job.
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from backup.settings s where s.second_copy in ('s3', 's3_with_files')) then
        raise exception 'No second copy is configured'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Set the function''s secrets as in docs/second-copy.md, then run: select backup.configure(second_copy => ''s3'')';
    end if;
    perform backup._require_function();
    update backup.copies c set retry_at = null, checked_at = '-infinity', files_at = null;
    delete from backup.copied_files f where f.error is not null;
    perform backup.watch();
end;
$$;

comment on function backup.copy is
    'Copies now what is not copied, however often it failed, and checks the copies that exist.';

-- Purposes other than a run have one worker at a time. It keeps its turn while its session exists and its lease has
-- not expired.

create or replace function backup._lock_work()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    lock table backup.events in share update exclusive mode;
    -- A transaction sees pg_stat_activity as it was at its first look.
    perform pg_stat_clear_snapshot();
end;
$$;

comment on function backup._lock_work is
    'Makes those who record events, take turns or call the function wait for each other. Take this lock after '
    'those on starts and on a run.';

create or replace function backup._take_turn(purpose text, worker uuid)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._lock_work();
    perform backup._link_call(purpose, null, worker);
    if exists (select from backup.live_workers w where w.purpose = _take_turn.purpose and w.working) then
        return false;
    end if;
    delete from backup.workers w where w.purpose = _take_turn.purpose;
    insert into backup.workers (id, purpose, backend_pid, backend_start, lease_until)
    select worker, _take_turn.purpose, a.pid, a.backend_start, clock_timestamp() + interval '5 minutes'
    from pg_stat_activity a
    where a.pid = pg_backend_pid();
    return true;
end;
$$;

comment on function backup._take_turn is
    'Registers the only worker for a purpose; returns false while another one has the turn. The turn ends with '
    'its session.';

create or replace function backup._require_turn(worker uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update backup.workers w
    set lease_until = clock_timestamp() + interval '5 minutes'
    where w.id = worker and w.purpose <> 'run' and w.left_at is null;
    if not found then
        raise exception 'Worker % has lost its turn', worker
            using errcode = 'BK001', hint = 'Another invocation does this work; stop.';
    end if;
end;
$$;

comment on function backup._require_turn is
    'Renews the lease of the worker that has the turn; raises BK001 for one that has lost it.';

-- The verbs of an invocation that copies.

create or replace function backup._register_copier(copier uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._lock_work();
    -- The worker before exited unexpectedly, as one does that used up its CPU or memory: its copy waits, and health
    -- reports repeated failures.
    update backup.copies c
    set failures = c.failures + 1,
        failed_at = clock_timestamp(),
        retry_at = clock_timestamp() + backup._retry_delay(c.failures),
        error = jsonb_build_object(
            'code', 'worker_died',
            'message', 'The invocation that copied exited unexpectedly',
            'hint', 'Check the logs of the function for limits of CPU, memory or time.'
        )
    from backup.workers died
    where died.purpose = 'copy' and died.left_at is null and c.run_id = died.run_id
        and not exists (select from backup.live_workers live where live.id = died.id and live.working);
    delete from backup.workers w
    where w.purpose = 'copy' and not exists (select from backup.live_workers live where live.id = w.id and live.working);
    if not exists (select from backup._copy_tasks()) or not backup._take_turn('copy', copier) then
        return null;
    end if;
    return backup._settings_of_attempt();
end;
$$;

comment on function backup._register_copier is
    'Takes the turn to copy and returns the settings; null when another worker has it or nothing is to be copied.';

create or replace function backup._next_copy(copier uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    task record;
begin
    perform backup._require_turn(copier);
    if exists (select from backup.log l where l.finished_at is null) then
        return null;
    end if;
    select t.run_id, t.action into task from backup._copy_tasks() t limit 1;
    if not found then
        return null;
    end if;
    -- A removed copy whose backup is in the log again begins anew.
    delete from backup.copies c where c.run_id = task.run_id and c.removed_at is not null;
    insert into backup.copies (run_id) values (task.run_id) on conflict on constraint copies_pkey do nothing;
    update backup.workers w set run_id = task.run_id where w.id = copier;
    return (
        select jsonb_build_object(
            'run_id', l.id,
            'action', task.action,
            'name', l.name,
            'bucket', l.settings ->> 'bucket',
            'checksum', l.checksum,
            'copied', coalesce((
                select jsonb_agg(jsonb_build_object('name', c.name, 'bytes', c.bytes, 'sha256', c.sha256) order by c.name)
                from backup.copied c
                where c.run_id = l.id
            ), '[]')
        )
        from backup.log l
        where l.id = task.run_id
    );
end;
$$;

comment on function backup._next_copy is
    'Returns the next task of the second copy {run_id, action, name, bucket, checksum, copied: [{name, bytes, '
    'sha256}]}; null when nothing is left, or a run is active, which goes first.';

create or replace function backup._record_copied_object(copier uuid, run_id bigint, name text, bytes bigint, sha256 text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    insert into backup.copied as c (run_id, name, bytes, sha256)
    values (_record_copied_object.run_id, _record_copied_object.name, _record_copied_object.bytes, _record_copied_object.sha256)
    on conflict on constraint copied_pkey do update
    set bytes = excluded.bytes, sha256 = excluded.sha256, copied_at = excluded.copied_at;
end;
$$;

comment on function backup._record_copied_object is 'Records that an object of a backup was copied. May be repeated.';

create or replace function backup._record_copy_check(copier uuid, run_id bigint, missing text[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    delete from backup.copied c where c.run_id = _record_copy_check.run_id and c.name = any (missing);
    update backup.copies c
    set verified_at = case when cardinality(missing) = 0 then coalesce(c.verified_at, clock_timestamp()) end,
        checked_at = clock_timestamp(),
        objects = found.objects,
        bytes = found.bytes,
        failures = 0,
        failed_at = null,
        retry_at = null,
        error = null
    from (
        select count(*) as objects, coalesce(sum(o.bytes), 0) as bytes from backup.copied o where o.run_id = _record_copy_check.run_id
    ) found
    where c.run_id = _record_copy_check.run_id;
end;
$$;

comment on function backup._record_copy_check is
    'Records that all objects of a copy were checked in the second bucket. Those in missing are copied again.';

create or replace function backup._mark_copy_removed(copier uuid, run_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    delete from backup.copied c where c.run_id = _mark_copy_removed.run_id;
    update backup.copies c
    set removed_at = clock_timestamp(), failures = 0, failed_at = null, retry_at = null, error = null
    where c.run_id = _mark_copy_removed.run_id;
end;
$$;

comment on function backup._mark_copy_removed is
    'Records that a copy was removed from the second bucket. Its row stays.';

create or replace function backup._retry_delay(failures integer)
returns interval
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when failures >= 6 then interval '20 hours' else interval '1 minute' * 2 ^ failures end;
$$;

comment on function backup._retry_delay is 'Returns how long a copy waits after this many failures and one more.';

create or replace function backup._record_copy_failure(copier uuid, run_id bigint, error jsonb, final boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    update backup.copies c
    set failures = case when final then greatest(7, c.failures + 1) else c.failures + 1 end,
        failed_at = clock_timestamp(),
        retry_at = clock_timestamp() + backup._retry_delay(case when final then 6 else c.failures end),
        error = _record_copy_failure.error
    where c.run_id = _record_copy_failure.run_id;
end;
$$;

comment on function backup._record_copy_failure is
    'Records a failure: the copy is tried again after 1, 2, 4 … minutes, and from the seventh time on once a day.'
    ' With final, because trying again soon would fail the same way, only then.';

create or replace function backup._release_copier(copier uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._lock_starts();
    update backup.workers w set left_at = clock_timestamp() where w.id = copier;
    perform backup._reconcile();
end;
$$;

comment on function backup._release_copier is
    'Ends the turn to copy, and calls the next worker while something is left.';

create table if not exists backup.copied_files (
    bucket text not null,
    name text not null,
    version text not null,
    bytes bigint,
    sha256 text,
    copied_at timestamptz not null default clock_timestamp(),
    gone_at timestamptz,
    error text,

    primary key (bucket, name),
    constraint copied_or_not check ((sha256 is null) = (error is not null))
);

alter table backup.copied_files enable row level security;

comment on table backup.copied_files is
    'Files of Storage in the second bucket, where second_copy is s3_with_files, and those that could not be '
    'copied. New and changed files are copied once after each backup.';
comment on column backup.copied_files.bucket is 'Bucket of the file.';
comment on column backup.copied_files.name is 'Its name there.';
comment on column backup.copied_files.version is 'The version that was copied; another version is copied again.';
comment on column backup.copied_files.bytes is 'Its size.';
comment on column backup.copied_files.sha256 is
    'The SHA-256 that it was stored with; null if it could not be copied.';
comment on column backup.copied_files.copied_at is 'When it was copied, or tried.';
comment on column backup.copied_files.gone_at is
    'When it was first missing from Storage. It is removed from the second bucket when no backup there is that '
    'old.';
comment on column backup.copied_files.error is 'Why it could not be copied.';

create or replace function backup._storage_files()
returns table (bucket text, name text, version text, bytes bigint, type text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._platform_has('storage.objects') then
        return;
    end if;
    return query
    select o.bucket_id, o.name, coalesce(o.version, o.metadata ->> 'eTag', o.updated_at::text, ''), (o.metadata ->> 'size')::bigint, o.metadata ->> 'mimetype'
    from storage.objects o
    where o.bucket_id <> (select s.bucket from backup.settings s) and (o.metadata ->> 'size') ~ '^[0-9]{1,18}$';
end;
$$;

comment on function backup._storage_files is
    'Returns the files of every bucket but the backups'' own, with the version that identifies a changed one.';

create or replace function backup._next_files(copier uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    if exists (select from backup.log l where l.finished_at is null) then
        return null;
    end if;
    return (
        select coalesce(jsonb_agg(to_jsonb(due)), '[]')
        from (
            select f.*
            from backup._storage_files() f
            left join backup.copied_files c on c.bucket = f.bucket and c.name = f.name
            where f.bytes <= 50000000
                and (
                    c.version is distinct from f.version
                    -- What could not be copied is tried once after each backup.
                    or c.error is not null and c.copied_at < (select max(l.finished_at) from backup.log l where l.status = 'succeeded')
                )
            order by f.bucket, f.name
            limit 200
        ) due
    );
end;
$$;

comment on function backup._next_files is
    'Returns the next files to copy [{bucket, name, version, bytes, type}]; null when a run is active, which goes'
    ' first. Files above 50 MB, which do not fit into the memory of an invocation, are left out and counted by '
    'health.';

create or replace function backup._record_copied_files(copier uuid, files jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    insert into backup.copied_files as c (bucket, name, version, bytes, sha256, error)
    select f.bucket, f.name, f.version, f.bytes, f.sha256, f.error
    from jsonb_to_recordset(files) f (bucket text, name text, version text, bytes bigint, sha256 text, error text)
    on conflict on constraint copied_files_pkey do update
    set version = excluded.version,
        bytes = excluded.bytes,
        sha256 = excluded.sha256,
        error = excluded.error,
        copied_at = excluded.copied_at,
        gone_at = null;
end;
$$;

comment on function backup._record_copied_files is
    'Records files that were copied, or could not be: [{bucket, name, version, bytes, sha256, error}]. May be '
    'repeated.';

create or replace function backup._next_removed_files(copier uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    update backup.copied_files c
    set gone_at = case when not seen.there then clock_timestamp() end
    from (
        select o.bucket, o.name, f.name is not null as there
        from backup.copied_files o
        left join backup._storage_files() f on f.bucket = o.bucket and f.name = o.name
    ) seen
    where seen.bucket = c.bucket and seen.name = c.name and (c.gone_at is null) <> seen.there;
    return (
        select coalesce(jsonb_agg(to_jsonb(gone)), '[]')
        from (
            select c.bucket, c.name
            from backup.copied_files c
            where c.gone_at < (
                select min(l.started_at)
                from backup.copies k
                join backup.log l on l.id = k.run_id
                where k.verified_at is not null and k.removed_at is null
            )
            order by c.bucket, c.name
            limit 200
        ) gone
    );
end;
$$;

comment on function backup._next_removed_files is
    'Returns the next files to remove from the second bucket [{bucket, name}]: those missing here since before '
    'the oldest backup that is kept there.';

create or replace function backup._record_removed_files(copier uuid, files jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    delete from backup.copied_files c
    using jsonb_to_recordset(files) f (bucket text, name text)
    where c.bucket = f.bucket and c.name = f.name;
end;
$$;

comment on function backup._record_removed_files is
    'Records files [{bucket, name}] that were removed from the second bucket.';

create or replace function backup._mark_files_copied(copier uuid, run_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    update backup.copies c
    set files_at = clock_timestamp(),
        files_left = (select count(*) from backup._storage_files() f where f.bytes > 50000000)
            + (select count(*) from backup.copied_files f where f.error is not null and f.gone_at is null),
        failures = 0,
        failed_at = null,
        retry_at = null,
        error = null
    where c.run_id = _mark_files_copied.run_id;
end;
$$;

comment on function backup._mark_files_copied is
    'Records that all files of a backup''s time were copied, except those that could not be.';

create or replace function backup._pending_alerts()
returns table (event_id bigint, channel text, told bigint, failed bigint, due boolean)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select
        e.id, c.name, told.times, tried.times,
        tried.times = 0 or tried.last_at < now() - make_interval(mins => (2 ^ least(tried.times, 10))::integer)
    from backup.channels c
    cross join backup.events e
    cross join lateral (
        select count(*) as times, max(a.made_at) as last_at
        from backup.alerts a
        where a.event_id = e.id and a.channel = c.name and a.outcome = 'sent'
    ) told
    cross join lateral (
        select count(*) as times, max(a.made_at) as last_at
        from backup.alerts a
        where a.event_id = e.id and a.channel = c.name and a.outcome = 'failed' and a.made_at > coalesce(told.last_at, '-infinity')
    ) tried
    cross join lateral (select not exists (select from backup.events l where l.id > e.id) as newest) present
    where c.state = 'on'
        and c.name <> 'ping'
        -- A first verdict of ok is not news.
        and (e.verdict <> 'ok' or e.previous_verdict is not null)
        and case
            when told.times > 0 then
                newest and e.verdict = 'failing'
                    and told.last_at < now() - make_interval(days => (select s.alert_reminder_days from backup.settings s))
            -- A new channel, or one that failed for a week, is told what is wrong now and not what is over.
            else newest and e.verdict <> 'ok' or e.noticed_at >= c.since and e.noticed_at > now() - interval '7 days'
        end
    order by e.id, c.name;
$$;

comment on function backup._pending_alerts is
    'Returns each event that a channel has not been told of, oldest first. failed counts the attempts in a row '
    'that failed; each doubles the wait until the row is due. told counts earlier deliveries: an event is '
    'repeated only while backups stay failing.';

-- The verbs of an invocation that delivers alerts.

create or replace function backup._report_channels(report jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from backup.channels c where c.name not in (select r ->> 'name' from jsonb_array_elements(report) r);
    insert into backup.channels as c (name, state, problem)
    select r ->> 'name', r ->> 'state', r ->> 'problem' from jsonb_array_elements(report) r order by 1
    on conflict (name) do update
    set state = excluded.state,
        problem = excluded.problem,
        since = case when c.state = excluded.state then c.since else excluded.since end,
        reported_at = excluded.reported_at;
end;
$$;

comment on function backup._report_channels is
    'Stores which channels for alerts the function has: [{name, state, problem}], all of them each time.';

create or replace function backup._next_alert()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'event', to_jsonb(e),
        'channels', jsonb_agg(jsonb_build_object('name', u.channel, 'told', u.told, 'failed', u.failed) order by u.channel)
    )
    from backup._pending_alerts() u
    join backup.events e on e.id = u.event_id
    where u.due
    group by e.id
    order by e.id
    limit 1;
$$;

comment on function backup._next_alert is 'Returns the oldest event that is due with its channels, or null.';

create or replace function backup._record_alert(event_id bigint, attempt jsonb)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into backup.alerts (event_id, channel, attempt, outcome, status, error, milliseconds)
    select _record_alert.event_id, a.channel, a.attempt, a.outcome, a.status, a.error, a.milliseconds
    from jsonb_to_record(_record_alert.attempt) a (channel text, attempt integer, outcome text, status integer, error text, milliseconds integer);
$$;

comment on function backup._record_alert is
    'Records an attempt to deliver an event: {channel, attempt, outcome, status, error, milliseconds}. event_id '
    'is null for a test.';

-- What the function is called for beside a run. A new purpose is one more row here.

create or replace function backup._work()
returns table (purpose text, due boolean, pending boolean)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
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
$$;

comment on function backup._work is
    'Returns for each purpose but runs whether the function should be called now (due), and whether to check '
    'again in a minute (pending).';

create or replace function backup._reconcile()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
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
$$;

comment on function backup._reconcile is
    'Compares the work with the workers: reconciles the active run, calls the function for other purposes that '
    'are due, and keeps the job backup-watch while something is pending. Doing it twice does no more than doing '
    'it once.';

create or replace function backup.watch()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A run that starts now must not lose the job that it has just seen.
    perform backup._lock_starts();
    perform backup._clamp_clock_skew();
    perform backup._reconcile();
end;
$$;

comment on function backup.watch is
    'Calls the workers that are missing for the active run, for copies and for alerts, or ends the run with the '
    'reason. The job backup-watch runs it every minute while there is something to do.';

create or replace function backup._after_run()
returns trigger
language plpgsql
-- A deferred trigger fires when the caller of a verb no longer has our rights.
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Rows that a restore or a rebuilt log brings ended earlier and are not news.
    if new.finished_at >= now() then
        begin
            perform backup._record_event();
        exception
            when others then
                raise warning 'Cannot record the end of run %: %', new.id, sqlerrm using hint = 'The daily check tries again. To do it now: select backup.check()';
        end;
        -- What failed before is tried again now.
        update backup.copies c set retry_at = null where c.retry_at is not null;
    end if;
    perform backup._reconcile();
    return null;
exception
    when others then
        raise warning 'Cannot call the function after run %: %', new.id, sqlerrm using hint = 'The daily check tries again. To do it now: select backup.check()';
        return null;
end;
$$;

comment on function backup._after_run is
    'Records what the end of a run has changed, and calls for alerts and copies. It runs when the transaction '
    'commits, because verbs lock the run''s row first; nothing that fails here keeps a run from ending.';

drop trigger if exists after_run on backup.log;
create constraint trigger after_run
after insert or update of finished_at on backup.log
deferrable initially deferred
for each row when (new.finished_at is not null)
execute function backup._after_run();

create table if not exists backup.part_secrets (
    run_id bigint primary key references backup.log (id) on delete cascade,
    secret text not null,

    constraint secret_form check (secret ~ '^[0-9a-f]{64}$')
);

alter table backup.part_secrets enable row level security;

comment on table backup.part_secrets is
    'Secret of the active run''s present attempt, where its parts are encrypted; their keys are derived from it '
    'and from their content (docs/encryption.md). Deleted when the attempt ends.';
comment on column backup.part_secrets.run_id is 'The run.';
comment on column backup.part_secrets.secret is '32 bytes in hexadecimal; of no use without the content of a part.';

create or replace function backup._part_secret(run_id bigint, worker uuid)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    answer text;
begin
    perform backup._require_lease(run, worker);
    -- Two random UUIDs: 244 random bits, from the server's strong source.
    insert into backup.part_secrets (run_id, secret)
    values (run.id, encode(sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), 'hex'))
    on conflict on constraint part_secrets_pkey do nothing;
    select s.secret into strict answer from backup.part_secrets s where s.run_id = run.id;
    return answer;
end;
$$;

comment on function backup._part_secret is
    'Returns the secret that the keys of an attempt''s encrypted parts are derived from; the first worker that '
    'asks creates it. It is created after the attempt''s snapshot and deleted before the next one, so no backup '
    'holds one.';

create or replace function backup._delete_part_secret()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from backup.part_secrets s where s.run_id = new.id;
    return null;
end;
$$;

comment on function backup._delete_part_secret is 'Deletes the secret of an attempt that has ended.';

create or replace trigger forget_part_secret
after update of attempt, finished_at on backup.log
for each row when (new.attempt <> old.attempt or new.finished_at is not null)
execute function backup._delete_part_secret();

-- Who may do what with the schema backup. Its owner may do everything; service_role may read what a person with the
-- service key needs, and call the verbs for people. All other roles cannot even look into the schema. New objects are
-- closed until they are named here. Row level security is on for every table, without policies, so that the API's
-- roles would see nothing even if the schema were exposed.
revoke all on schema backup from public, anon, authenticated, service_role;
revoke all on all tables in schema backup from public, anon, authenticated, service_role;
revoke all on all sequences in schema backup from public, anon, authenticated, service_role;
revoke all on all functions in schema backup from public, anon, authenticated, service_role;

grant usage on schema backup to service_role;
grant select on
    backup.alerts,
    backup.channels,
    backup.copies,
    backup.events,
    backup.health,
    backup.log,
    backup.settings
to service_role;
grant execute on function
    backup.cancel,
    backup.configure,
    backup.copy,
    backup.examine,
    backup.is_schedule,
    backup.pin,
    backup.schedule,
    backup.schedule_check,
    backup.start,
    backup.unpin,
    backup.unschedule,
    backup.version
to service_role;
