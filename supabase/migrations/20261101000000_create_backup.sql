-- The schema `backup`: the files of schemas/backup/ in the order of config.toml.

-- The schema `backup`: what is to be backed up how, what was, and the state of the run under way.
-- It is not among the API's exposed schemas, and nobody but its owner and service_role can look into it.
-- Everything may be run twice; but a schema of this name that is somebody else's is not ours to fill.
do $$
begin
    if to_regnamespace('backup') is not null and to_regclass('backup.settings') is null
        and exists (select from pg_class where relnamespace = to_regnamespace('backup'))
    then
        raise exception 'there is a schema "backup" already, with other tables in it'
            using errcode = 'duplicate_schema', hint = 'Rename it first: alter schema backup rename to another_name';
    end if;
end;
$$;

create schema if not exists backup;

comment on schema backup is
    'Backups of this project into its own Storage: settings, the log of runs, and the verbs that start and steer them.';

-- service_role may read the log and call the public verbs; what exactly is granted stands beside each object.
grant usage on schema backup to service_role;

-- Is this text what the setting `recipient` takes: age's public keys (age1…), one or up to eight divided by commas, each with its checksum
-- right? To a mistyped key nobody has the other half. Null is none.
create or replace function backup.is_recipient(recipient text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
    -- Bech32 (BIP 173): characters of five bits, the last six of them the remainder of a polynomial.
    characters constant text := 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
    -- What it is after the prefix `age`, and what each of the five bits that leave it brings in.
    after_prefix constant integer := 81605724;
    generator constant integer[] := '{996825010,642813549,513874426,1027748829,705979059}';
    recipients text[] := string_to_array(recipient, ',');
    remainder integer;
    leaving integer;
begin
    if coalesce(cardinality(recipients), 0) not between 1 and 8 then
        return false;
    end if;
    for i in 1 .. cardinality(recipients) loop
        -- 32 bytes and the checksum; the last character of the bytes has one bit of them.
        if btrim(recipients[i], ' ') !~ '^age1[02-9ac-hj-np-z]{51}[qs][02-9ac-hj-np-z]{6}$' then
            return false;
        end if;
        remainder := after_prefix;
        for j in 5 .. 62 loop
            leaving := remainder >> 25;
            remainder := ((remainder & 33554431) << 5) # (strpos(characters, substr(btrim(recipients[i], ' '), j, 1)) - 1);
            for bit in 0 .. 4 loop
                if (leaving >> bit) & 1 = 1 then
                    remainder := remainder # generator[bit + 1];
                end if;
            end loop;
        end loop;
        if remainder <> 1 then
            return false;
        end if;
    end loop;
    return true;
end;
$$;

revoke all on function backup.is_recipient from public;
grant execute on function backup.is_recipient to service_role;
comment on function backup.is_recipient is 'Is this text one or several of age''s public keys? Null is not.';

-- How backups are made: one row, changed by `backup.configure()`.
-- Each rule is a constraint, and its comment is the hint that `configure()` gives when it is broken.
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
    constraint function_url_form check (function_url ~ '^https?://[^[:space:][:cntrl:]/?#@]+/[^[:space:][:cntrl:]?#@]*$'),
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
    constraint recipient_form check (recipient is null or backup.is_recipient(recipient)),
    constraint second_copy_known check (second_copy in ('s3', 's3_with_files', 'none')),
    constraint budget_halvings_range check (budget_halvings between 0 and 6)
);

-- No policies: should the schema ever be exposed, the API's roles still see nothing.
alter table backup.settings enable row level security;

-- A person with the service key may look; changes go through configure().
grant select on backup.settings to service_role;

comment on table backup.settings is 'How backups are made; one row. Change it with backup.configure().';
comment on column backup.settings.id is 'Always true: the table has one row.';
comment on column backup.settings.function_url is 'Where the Edge Function `backup` answers; no backup starts before it is set.';
comment on column backup.settings.bucket is 'Storage bucket that the backups go to.';
comment on column backup.settings.slice_bytes is 'COPY text of one slice, as estimated; large tables are cut to this size.';
comment on column backup.settings.invocation_bytes is 'COPY text that one invocation takes on: what two seconds of CPU export with room to spare.';
comment on column backup.settings.part_bytes is 'Largest object in the bucket; below the 50 MB that the free plan takes.';
comment on column backup.settings.storage_quota_bytes is 'What the project''s Storage may hold in all: a run that would exceed it fails before it exports. 0: not known.';
comment on column backup.settings.level is 'Deflate level; 4 is smaller than pg_dump''s default and twice as fast.';
comment on column backup.settings.workers is 'Invocations that export at the same time.';
comment on column backup.settings.lease_seconds is 'How long a worker may be silent before others take over its slices.';
comment on column backup.settings.call_ttl_seconds is 'How long the one-time token of a call to the function stays valid.';
comment on column backup.settings.max_attempts is 'How often a run is tried, each time with a new snapshot.';
comment on column backup.settings.lock_timeout_ms is 'How long a backup waits for a table that DDL has locked before it gives the attempt up.';
comment on column backup.settings.keep_scheduled is 'Newest scheduled backups that rotation keeps.';
comment on column backup.settings.keep_manual is 'Newest manual backups that rotation keeps.';
comment on column backup.settings.keep_weekly is 'Weeks of which rotation keeps a backup.';
comment on column backup.settings.keep_monthly is 'Months of which rotation keeps a backup.';
comment on column backup.settings.keep_yearly is 'Years of which rotation keeps a backup.';
comment on column backup.settings.alert_reminder_days is 'Days until a failing verdict that lasts is told again.';
comment on column backup.settings.recipient is 'age''s public keys that backups are encrypted to, divided by commas; null where they are not encrypted.';
comment on column backup.settings.second_copy is 's3: backups are copied to the bucket of the function''s secrets; s3_with_files: Storage''s files too; none: one copy is enough; null: not decided, which health warns of.';
comment on column backup.settings.budget_halvings is 'How often slice_bytes and invocation_bytes are halved at present; workers that died raise it, success lowers it.';

comment on constraint one_row on backup.settings is 'There is one row of settings; change it with backup.configure().';
comment on constraint function_url_form on backup.settings is
    'function_url is the full address of the function, without user, query or fragment: https://<project-ref>.supabase.co/functions/v1/backup';
comment on constraint bucket_form on backup.settings is 'bucket is the name of a Storage bucket: 1 to 100 letters, digits, dots, dashes or underscores.';
comment on constraint slice_bytes_range on backup.settings is 'slice_bytes is between 65536 (64 KiB) and 1073741824 (1 GiB).';
comment on constraint slice_fits_its_parts on backup.settings is
    'slice_bytes is at most three times part_bytes: a slice has three parts for its rows, and rows may not compress at all.';
comment on constraint invocation_bytes_range on backup.settings is 'invocation_bytes is between 65536 (64 KiB) and 10737418240 (10 GiB).';
comment on constraint part_bytes_range on backup.settings is 'part_bytes is between 65536 (64 KiB) and 50000000 (50 MB, the free plan''s limit for a file).';
comment on constraint storage_quota_bytes_range on backup.settings is 'storage_quota_bytes is what the plan gives Storage, in bytes (the free plan 1000000000); 0 when it is not known.';
comment on constraint level_range on backup.settings is 'level is between 1 (fast) and 9 (small).';
comment on constraint workers_range on backup.settings is 'workers is between 1 and 8.';
comment on constraint lease_seconds_range on backup.settings is 'lease_seconds is between 2 and 3600.';
comment on constraint call_ttl_seconds_range on backup.settings is 'call_ttl_seconds is between 10 and 3600.';
comment on constraint max_attempts_range on backup.settings is 'max_attempts is between 1 and 10.';
comment on constraint lock_timeout_ms_range on backup.settings is 'lock_timeout_ms is between 1 and 3600000 (an hour).';
comment on constraint keep_scheduled_range on backup.settings is 'keep_scheduled is between 1 and 1000: rotation never leaves you without a backup.';
comment on constraint keep_manual_range on backup.settings is 'keep_manual is between 1 and 1000.';
comment on constraint keep_weekly_range on backup.settings is 'keep_weekly is between 0 and 1000.';
comment on constraint keep_monthly_range on backup.settings is 'keep_monthly is between 0 and 1000.';
comment on constraint keep_yearly_range on backup.settings is 'keep_yearly is between 0 and 1000.';
comment on constraint alert_reminder_days_range on backup.settings is 'alert_reminder_days is between 1 and 365.';
comment on constraint recipient_form on backup.settings is
    'recipient is a public key of age as age-keygen prints it (age1…, 62 characters), or up to eight, divided by commas; '''' turns encryption off. Never the secret half.';
comment on constraint second_copy_known on backup.settings is 'second_copy is s3 or s3_with_files (docs/second-copy.md has what the function needs for them), or none.';
comment on constraint budget_halvings_range on backup.settings is 'budget_halvings is between 0 and 6; it is counted by the runs themselves.';

-- One row a run: the truth about it, for people and for the verbs. What pg_cron and pg_net say about
-- themselves is not (a job "succeeds" when its request is queued).
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
    -- A run is active or it has an end, never both and never neither.
    constraint ended_when_inactive check ((status in ('queued', 'running')) = (finished_at is null)),
    -- No success that was not read back.
    constraint success_is_verified check (status <> 'succeeded' or (verified_at is not null and checksum is not null)),
    -- No failure without its reason.
    constraint failure_has_reason check (status <> 'failed' or (error_code is not null and error_message is not null)),
    -- Rotation may not take what a person wants to keep.
    constraint pinned_stays check (not (pinned and removed_at is not null))
);

-- Two active runs cannot be: not by convention, but here, also for two starts in the same instant.
create unique index if not exists one_active_run on backup.log ((true)) where status in ('queued', 'running');

-- No policies: should the schema ever be exposed, the API's roles still see nothing.
alter table backup.log enable row level security;

grant select on backup.log to service_role;

comment on table backup.log is 'One row a run. select * from backup.log order by started_at desc';
comment on column backup.log.id is 'Number of the run.';
comment on column backup.log.name is 'Folder of the backup in the bucket; a further attempt has its number at the end.';
comment on column backup.log.trigger is 'scheduled (pg_cron) or manual; rotation counts them apart.';
comment on column backup.log.status is 'queued (no worker yet), running, succeeded (verified), failed or cancelled.';
comment on column backup.log.phase is 'What is being done, or what was being done when the run ended without success.';
comment on column backup.log.started_at is 'When backup.start() made the run.';
comment on column backup.log.finished_at is 'When the run ended, however it ended.';
comment on column backup.log.heartbeat_at is 'Last sign of life of any worker.';
comment on column backup.log.progressed_at is 'When the run last came forward: attempt begun, plan stored, slice finished, part verified.';
comment on column backup.log.progress is 'slices, slices_done, expected_invocations, estimated_bytes, estimated_bytes_done, raw_bytes, stored_bytes, rows, workers, and what they are doing.';
comment on column backup.log.server_version is 'Version of the PostgreSQL server that was backed up.';
comment on column backup.log.tables is 'Tables whose rows are in the backup.';
comment on column backup.log.rows is 'Rows in the backup, counted by COPY itself.';
comment on column backup.log.raw_bytes is 'COPY text before compression.';
comment on column backup.log.stored_bytes is 'Bytes of all parts in the bucket.';
comment on column backup.log.parts is 'Objects of the archive in the bucket, the manifest not counted.';
comment on column backup.log.checksum is 'SHA-256 of the manifest, which names the SHA-256 of every part.';
comment on column backup.log.attempt is 'Which attempt is, or was, the last; each has its own snapshot and folder.';
comment on column backup.log.attempts is 'Earlier attempts: name, phase, end, error, budgets, whether a worker died.';
comment on column backup.log.invocations is 'Workers that took part, over all attempts.';
comment on column backup.log.warnings is 'What the backup does not hold or what was odd: code, object, message.';
comment on column backup.log.error_code is 'Why the run failed, in one stable word.';
comment on column backup.log.error_message is 'Why the run failed.';
comment on column backup.log.error_hint is 'What to do about it.';
comment on column backup.log.settings is 'The settings that this attempt works with; later changes do not touch it.';
comment on column backup.log.pinned is 'Rotation never removes a pinned backup: backup.pin(name).';
comment on column backup.log.verified_at is 'When every part had been read back from Storage and matched its checksum.';
comment on column backup.log.removed_at is 'When rotation removed the backup from the bucket.';

-- What the planner found and decided for the present attempt of a run. Slices and parts hang on it, so that
-- deleting the plan clears an attempt away.
create table if not exists backup.plans (
    run_id bigint primary key references backup.log (id) on delete cascade,
    worker uuid not null,
    planned_at timestamptz not null default now(),
    estimated_bytes bigint not null,
    facts jsonb not null,

    constraint estimated_bytes_range check (estimated_bytes >= 0)
);

-- Nobody but the owner; no policies, no grants.
alter table backup.plans enable row level security;

comment on table backup.plans is 'The plan of a run''s present attempt; cleared at the next start.';
comment on column backup.plans.run_id is 'The run.';
comment on column backup.plans.worker is 'The worker that planned.';
comment on column backup.plans.planned_at is 'When the plan was stored.';
comment on column backup.plans.estimated_bytes is 'COPY text that is expected of all slices, with what their statements cost.';
comment on column backup.plans.facts is 'What the finisher writes into the manifest.';

-- The work of an attempt, cut into what one worker exports in one go.
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
    -- Done means done by someone, with a result.
    constraint finished_with_result check ((finished_at is null) = (result is null) and (finished_at is null or worker is not null))
);

-- Claims look for unfinished slices only; a large run has thousands of finished ones.
create index if not exists unfinished_slices on backup.slices (run_id, number) where finished_at is null;

-- Nobody but the owner; no policies, no grants.
alter table backup.slices enable row level security;

comment on table backup.slices is 'Slices of a run''s present attempt.';
comment on column backup.slices.run_id is 'The run.';
comment on column backup.slices.number is 'Place of the slice in the archive.';
comment on column backup.slices.first_part is 'First of the part numbers that belong to the slice.';
comment on column backup.slices.estimated_bytes is 'COPY text that is expected of its pieces, with what their statements cost.';
comment on column backup.slices.pieces is 'The pieces of tables to export, in archive order.';
comment on column backup.slices.worker is 'Who has claimed it; null while it waits.';
comment on column backup.slices.tries is 'How often it was claimed and not given back in good order.';
comment on column backup.slices.finished_at is 'When its last part was stored.';
comment on column backup.slices.result is 'rows, raw_bytes, stored_bytes, and the same with checksums for each piece.';

-- Objects of the archive that an attempt has stored in the bucket.
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

-- Nobody but the owner; no policies, no grants.
alter table backup.parts enable row level security;

comment on table backup.parts is 'Parts that a run''s present attempt has stored.';
comment on column backup.parts.run_id is 'The run.';
comment on column backup.parts.name is 'Name of the object in the backup''s folder; name order is archive order.';
comment on column backup.parts.slice_number is 'The slice it belongs to; null for the table of contents and for closing parts.';
comment on column backup.parts.bytes is 'Its size.';
comment on column backup.parts.sha256 is 'Its SHA-256 in hexadecimal, computed before the upload.';
comment on column backup.parts.stored_at is 'When it was recorded.';
comment on column backup.parts.verified_at is 'When it was read back and its SHA-256 matched.';

-- Invocations of the function that entered a run. Kept over all attempts, as evidence, until the next start.
create table if not exists backup.workers (
    id uuid primary key,
    run_id bigint not null references backup.log (id) on delete cascade,
    attempt integer not null,
    role text not null,
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

    constraint role_known check (role in ('plan', 'export', 'finish')),
    -- A holder is somebody from whom the snapshot can be imported.
    constraint holder_has_snapshot check ((held_at is null) = (snapshot is null))
);

create index if not exists workers_of_run on backup.workers (run_id, attempt);

-- Nobody but the owner; no policies, no grants.
alter table backup.workers enable row level security;

comment on table backup.workers is 'Invocations that entered a run.';
comment on column backup.workers.id is 'The worker''s own choice.';
comment on column backup.workers.run_id is 'The run.';
comment on column backup.workers.attempt is 'The attempt it entered; it has no say in any other.';
comment on column backup.workers.role is 'plan, export or finish: what it was told on entering, or what it took on later.';
comment on column backup.workers.backend_pid is 'Process of its export session.';
comment on column backup.workers.backend_start is 'Start of that process: process numbers come back.';
comment on column backup.workers.entered_at is 'When it entered.';
comment on column backup.workers.lease_until is 'Until when it may be silent.';
comment on column backup.workers.snapshot is 'The snapshot that its session exports.';
comment on column backup.workers.held_at is 'When it became a holder of the snapshot.';
comment on column backup.workers.leaving_at is 'When it first asked to leave and had to go on holding the snapshot.';
comment on column backup.workers.left_at is 'When it left in good order or lost its place; null for one that died.';
comment on column backup.workers.progress is 'What it is at: slice, table, rows, raw_bytes.';
comment on column backup.workers.error is 'Why it gave up: code, message, hint.';

-- Who lives, of the active run's present attempt. A session in pg_stat_activity says so at once; the lease
-- is the second line, for a session that the server has not noticed to be gone. One whose lease ran out no
-- longer works, yet its snapshot can still be imported while the session is there.
create or replace view backup.live_workers with (security_invoker = true) as
select
    w.id,
    w.run_id,
    w.role,
    w.snapshot,
    w.held_at,
    w.progress,
    w.leaving_at is null and w.lease_until > clock_timestamp() as working
from backup.workers w
join backup.log l on l.id = w.run_id and l.attempt = w.attempt and l.status in ('queued', 'running')
join pg_catalog.pg_stat_activity a on a.pid = w.backend_pid and a.backend_start = w.backend_start
where w.left_at is null;

comment on view backup.live_workers is 'Workers of the present attempt whose export session exists.';
comment on column backup.live_workers.id is 'The worker.';
comment on column backup.live_workers.run_id is 'The run.';
comment on column backup.live_workers.role is 'plan, export or finish.';
comment on column backup.live_workers.snapshot is 'The snapshot that can be imported from it.';
comment on column backup.live_workers.held_at is 'Since when.';
comment on column backup.live_workers.progress is 'What it is at.';
comment on column backup.live_workers.working is 'False for one that waits to leave or whose lease ran out.';

-- Calls of the function, each with a token of its own. Only the token's hash is kept: who reads this table
-- cannot call.
create table if not exists backup.calls (
    hash bytea primary key,
    run_id bigint references backup.log (id) on delete cascade,
    request_id bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    used_at timestamptz,
    worker uuid,
    answer jsonb,

    constraint hash_form check (length(hash) = 32)
);

create index if not exists calls_of_run on backup.calls (run_id, created_at);

-- Nobody but the owner; no policies, no grants.
alter table backup.calls enable row level security;

comment on table backup.calls is 'Calls of the function, with hashes of their one-time tokens.';
comment on column backup.calls.hash is 'SHA-256 of the token.';
comment on column backup.calls.run_id is 'The only run that the token is good for; null for a call for alerts.';
comment on column backup.calls.request_id is 'pg_net''s number of the request; pg_net counts anew after a crash.';
comment on column backup.calls.created_at is 'When the call was queued.';
comment on column backup.calls.expires_at is 'From when on the token is refused.';
comment on column backup.calls.used_at is 'When the function showed the token; it is good once.';
comment on column backup.calls.worker is 'The worker that came of the call.';
comment on column backup.calls.answer is 'pg_net''s evidence, copied because pg_net drops it after some hours: status, error, body.';

-- Is this text a schedule of five fields that does what it says? pg_cron itself is lenient: it takes a sixth
-- field and ignores it, and drops what follows a number (`5/10` runs at minute 5). Such schedules run at other
-- times than their author thinks, so they are refused here. Null is no schedule.
-- Understood: `*`, numbers, names (jan, mon), ranges, lists, steps after `*` or a range; day of week 0 to 7.
create or replace function backup.is_schedule(schedule text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
    lows constant integer[] := '{0,0,1,1,0}';
    highs constant integer[] := '{59,23,31,12,7}';
    months constant text[] := '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}';
    days constant text[] := '{sun,mon,tue,wed,thu,fri,sat}';
    fields text[] := regexp_split_to_array(lower(btrim(schedule, ' ')), ' +');
    low integer;
    high integer;
    names text[];
    item text;
    found text[];
    first integer;
    last integer;
begin
    if array_length(fields, 1) is distinct from 5 then
        return false;
    end if;
    for i in 1 .. 5 loop
        low := lows[i];
        high := highs[i];
        -- Names stand for the numbers from `low` on.
        names := case i when 4 then months when 5 then days else '{}' end;
        -- An empty item matches nothing; the fields themselves are not empty.
        foreach item in array string_to_array(fields[i], ',') loop
            found := regexp_match(item, '^(?:\*|([a-z]{3}|[0-9]{1,2})(?:-([a-z]{3}|[0-9]{1,2}))?)(?:/([0-9]{1,2}))?$');
            if found is null then
                return false;
            end if;
            first := case
                when item like '*%' then low
                when found[1] ~ '[0-9]' then found[1]::integer
                else low - 1 + array_position(names, found[1])
            end;
            last := case
                when item like '*%' then high
                when found[2] is null then first
                when found[2] ~ '[0-9]' then found[2]::integer
                else low - 1 + array_position(names, found[2])
            end;
            if first is null or last is null or first < low or last > high or first > last then
                return false;
            end if;
            -- A step needs something to step through, and one beyond the field's end is a mistake.
            if found[3] is not null and (item not like '%-%' and item not like '*%' or found[3]::integer not between 1 and high) then
                return false;
            end if;
        end loop;
    end loop;
    return true;
end;
$$;

revoke all on function backup.is_schedule from public;
grant execute on function backup.is_schedule to service_role;
comment on function backup.is_schedule is 'Is this text a cron schedule of five fields? Null is not.';

-- Jobs of pg_cron: `backup-weekly` starts backups, `backup-daily` checks them; `backup-watch`, `backup-alert` and `backup-copy` exist while there is a run to
-- watch over, something to tell, something to copy.
create or replace function backup._require_cron()
returns void
language plpgsql
set search_path = ''
as $$
begin
    if to_regprocedure('cron.schedule(text, text, text)') is null then
        raise exception 'pg_cron is not installed: nothing would start or watch over backups'
            using errcode = 'feature_not_supported',
                detail = 'not_installed',
                hint = 'create extension pg_cron with schema pg_catalog; or turn it on under Integrations in the dashboard.';
    end if;
end;
$$;

revoke all on function backup._require_cron from public;
comment on function backup._require_cron is 'Raises a clear error where pg_cron is missing.';

-- Makes the job of that name, or changes it; answers its number. The schedule is one that backup.is_schedule() takes.
create or replace function backup._keep_job(name text, schedule text, command text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    job bigint;
begin
    perform backup._require_cron();
    job := cron.schedule(name, btrim(schedule, ' '), command);
    -- Jobs of a restored database come back inactive, and scheduling alone leaves them so.
    perform cron.alter_job(job, active := true);
    return job;
end;
$$;

revoke all on function backup._keep_job from public;
comment on function backup._keep_job is 'Makes a job of pg_cron, or changes it; answers its number.';

-- By number and owner: pg_cron raises for a name it does not know, and a superuser sees other people's jobs.
create or replace function backup._drop_job(name text)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    job bigint;
begin
    -- Without pg_cron there are no jobs; a run has to be able to end all the same.
    if to_regclass('cron.job') is null then
        return false;
    end if;
    select j.jobid into job from cron.job j where j.jobname = _drop_job.name and j.username = current_user;
    return job is not null and cron.unschedule(job);
end;
$$;

revoke all on function backup._drop_job from public;
comment on function backup._drop_job is 'Removes a job of pg_cron; false when there was none.';

-- The watch-dog's job exists while a run is active. Both verbs may be repeated.
create or replace function backup._watch_on()
returns void
language sql
set search_path = ''
as $$
    select backup._keep_job('backup-watch', '* * * * *', 'select backup.watch()');
$$;

revoke all on function backup._watch_on from public;
comment on function backup._watch_on is 'Lets pg_cron call the watch-dog every minute.';

create or replace function backup._watch_off()
returns void
language sql
set search_path = ''
as $$
    select backup._drop_job('backup-watch');
$$;

revoke all on function backup._watch_off from public;
comment on function backup._watch_off is 'Sends the watch-dog to sleep.';

-- The job that starts a backup by the clock. There is one; scheduling again changes its time.
-- Example: select backup.schedule('30 2 * * *');
create or replace function backup.schedule(schedule text)
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
                hint = 'Give minute, hour, day of month, month and day of week (UTC), such as 0 3 * * 0 for Sundays at three.';
    end if;
    return backup._keep_job('backup-weekly', schedule, $job$select backup.start('scheduled')$job$);
end;
$$;

revoke all on function backup.schedule from public;
grant execute on function backup.schedule to service_role;
comment on function backup.schedule is 'Backs up by this cron schedule (UTC) from now on; answers the job''s number.';

-- Ends the backups by the clock; answers false when there were none.
create or replace function backup.unschedule()
returns boolean
language sql
security definer
set search_path = ''
as $$
    select backup._drop_job('backup-weekly');
$$;

revoke all on function backup.unschedule from public;
grant execute on function backup.unschedule to service_role;
comment on function backup.unschedule is 'Ends the scheduled backups.';

-- Changes the settings named in the call and leaves the others as they are; answers the settings as they are
-- now. Example: select backup.configure(function_url => 'https://abc.supabase.co/functions/v1/backup', workers => 3);
-- A run under way keeps the settings it began with.
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
returns backup.settings
language plpgsql
-- service_role may change settings here, under the checks, but not write the table.
security definer
set search_path = ''
as $$
declare
    changed backup.settings;
    rule text;
begin
    -- A database that was restored without its data has the table, and no row.
    insert into backup.settings default values on conflict (id) do nothing;
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
        -- Null leaves it, like any other: a call that does not name it must not turn encryption off.
        recipient = nullif(coalesce(configure.recipient, s.recipient), ''),
        alert_reminder_days = coalesce(configure.alert_reminder_days, s.alert_reminder_days),
        second_copy = coalesce(configure.second_copy, s.second_copy),
        -- Who sets a budget anew wants it tried as it stands.
        budget_halvings = case
            when configure.slice_bytes is null and configure.invocation_bytes is null then s.budget_halvings
            else 0
        end
    returning s.* into strict changed;
    return changed;
exception
    when check_violation then
        get stacked diagnostics rule = constraint_name;
        raise exception 'settings refused: they break the rule %', rule
            using errcode = 'invalid_parameter_value',
                hint = (
                    select pg_catalog.obj_description(c.oid, 'pg_constraint')
                    from pg_catalog.pg_constraint c
                    where c.conname = rule and c.conrelid = 'backup.settings'::regclass
                );
end;
$$;

revoke all on function backup.configure from public;
grant execute on function backup.configure to service_role;
comment on function backup.configure is 'Changes the settings named in the call; answers all of them.';

-- The settings that an attempt works with: as configured, the budgets halved as often as deaths have asked for.
create or replace function backup._settings_of_attempt()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select to_jsonb(s) - '{id,function_url,alert_reminder_days,second_copy,budget_halvings}'::text[] || jsonb_build_object(
        'slice_bytes', greatest(65536, s.slice_bytes >> s.budget_halvings),
        'invocation_bytes', greatest(65536, s.invocation_bytes >> s.budget_halvings)
    )
    from backup.settings s;
$$;

revoke all on function backup._settings_of_attempt from public;
comment on function backup._settings_of_attempt is 'The settings that the next attempt works with.';

-- Raises a clear error where the function cannot be called at all. The detail is the code for the log.
create or replace function backup._require_function()
returns void
language plpgsql
set search_path = ''
as $$
begin
    if not exists (select from backup.settings s where s.function_url is not null) then
        raise exception 'function_url is not configured'
            using errcode = 'object_not_in_prerequisite_state',
                detail = 'not_configured',
                hint = 'select backup.configure(function_url => ''https://<project-ref>.supabase.co/functions/v1/backup'')';
    end if;
    if to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null then
        raise exception 'pg_net is not installed: nothing can call the function'
            using errcode = 'feature_not_supported',
                detail = 'not_installed',
                hint = 'create extension pg_net with schema extensions; or turn it on under Integrations in the dashboard.';
    end if;
end;
$$;

revoke all on function backup._require_function from public;
comment on function backup._require_function is 'Raises a clear error where the function cannot be called.';

-- Calls the function for an active run; answers pg_net's number of the request.
create or replace function backup.dispatch(run_id bigint)
returns bigint
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_function();
    if not exists (select from backup.log l where l.id = dispatch.run_id and l.finished_at is null) then
        raise exception 'run % cannot be dispatched: it is not active', run_id
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'select backup.start() begins a new run; select * from backup.log shows all of them.';
    end if;
    return backup._call(run_id);
end;
$$;

revoke all on function backup.dispatch from public;
comment on function backup.dispatch is 'Calls the function for a run; answers pg_net''s request number.';

-- Sends the function a request with a one-time token, of which only the hash stays here; `word` begins the token, so that the function learns from it what
-- it is called for. The request goes out when the transaction commits.
create or replace function backup._send(word text, body jsonb, out hash bytea, out request_id bigint, out expires_at timestamptz)
language plpgsql
set search_path = ''
as $$
declare
    -- Two random UUIDs: 244 random bits, from the server's strong source.
    token text := word || gen_random_uuid()::text || gen_random_uuid()::text;
    settings backup.settings;
begin
    select s.* into strict settings from backup.settings s;
    -- The function answers at once. A half minute is for its cold start; pg_net's own five seconds are too few,
    -- and it keeps all later requests waiting while this one is open.
    request_id := net.http_post(
        url := settings.function_url,
        body := body,
        headers := jsonb_build_object('Content-Type', 'application/json', 'x-backup-token', token),
        timeout_milliseconds := 30000
    );
    hash := sha256(convert_to(token, 'UTF8'));
    expires_at := clock_timestamp() + make_interval(secs => settings.call_ttl_seconds);
end;
$$;

revoke all on function backup._send from public;
comment on function backup._send is 'Sends the function a request with a one-time token; answers its hash, pg_net''s number, and until when it is good.';

-- Calls the function for a run or, without one, for alerts; answers pg_net's number of the request.
-- A transaction that fails leaves neither call nor token.
create or replace function backup._call(run_id bigint)
returns bigint
language sql
set search_path = ''
as $$
    insert into backup.calls (hash, run_id, request_id, expires_at)
    select sent.hash, _call.run_id, sent.request_id, sent.expires_at
    from backup._send(case when run_id is null then 'alert-' else '' end, jsonb_strip_nulls(jsonb_build_object('run_id', run_id))) sent
    returning request_id;
$$;

revoke all on function backup._call from public;
comment on function backup._call is 'Calls the function with a one-time token; answers pg_net''s request number.';

-- The run that an unused, unexpired token was made for; null for any other text. The token is used up.
create or replace function backup._redeem(token text)
returns bigint
language sql
set search_path = ''
as $$
    update backup.calls c
    set used_at = clock_timestamp()
    where c.hash = sha256(convert_to(token, 'UTF8')) and c.run_id is not null and c.used_at is null and c.expires_at > clock_timestamp()
    returning c.run_id;
$$;

revoke all on function backup._redeem from public;
comment on function backup._redeem is 'The run of a one-time token, which is used up; null for one that is not good.';

-- Copies what pg_net knows about the calls of a run, before pg_net forgets it. An older response can bear the
-- same number, because pg_net counts anew after a crash; hence the comparison of times.
create or replace function backup._collect_answers(run_id bigint)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.calls c
    set answer = jsonb_strip_nulls(jsonb_build_object(
        'status', r.status_code, 'error', r.error_msg, 'body', left(r.content, 300)
    ))
    from net._http_response r
    where c.run_id = _collect_answers.run_id
        and c.answer is null
        and r.id = c.request_id
        and r.created > c.created_at - interval '1 minute';
end;
$$;

revoke all on function backup._collect_answers from public;
comment on function backup._collect_answers is 'Copies pg_net''s responses to the calls of a run.';

-- What became of the calls since the run's last sign of life. `expected`: a worker may still come of it. `vain`: none did.
create or replace function backup._calls_of(run_id bigint, out expected bigint, out vain bigint, out answer jsonb)
language sql
set search_path = ''
as $$
    with calls as (
        select
            c.created_at,
            c.answer,
            c.worker is null and case
                -- It reached an isolate that works for this run, or another, already: the next call finds another one.
                when c.answer ->> 'status' = '503' and c.answer ->> 'body' like '%"busy"%' then c.created_at > clock_timestamp() - interval '1 second'
                -- Refused or not delivered: wait a little before the next call, not longer.
                when c.answer ->> 'status' not like '2%' or c.answer ? 'error' then c.created_at > clock_timestamp() - interval '5 seconds'
                -- Under way: pg_net's queue, a cold start, two connections.
                else greatest(c.created_at, c.used_at) > clock_timestamp() - interval '45 seconds'
            end as expected,
            c.worker is not null as entered
        from backup.calls c
        where c.run_id = _calls_of.run_id
    )
    select
        count(*) filter (where c.expected),
        count(*) filter (where not c.expected and not c.entered and c.created_at > coalesce(l.heartbeat_at, l.started_at)),
        (array_agg(c.answer order by c.created_at desc) filter (where c.answer is not null and not c.entered))[1]
    from backup.log l
    left join calls c on true
    where l.id = _calls_of.run_id;
$$;

revoke all on function backup._calls_of from public;
comment on function backup._calls_of is 'How many calls of a run are under way or were in vain, and the last answer that was in vain.';

-- How attempts and runs end. Verbs that change a run lock its row first: a run's workers, its watch-dog and people act one after another,
-- in short statements, and no two of them see half of what the other did.

-- Locks the run and answers it as it is then.
create or replace function backup._lock(run_id bigint)
returns backup.log
language plpgsql
set search_path = ''
as $$
declare
    run backup.log;
begin
    select l.* into run from backup.log l where l.id = run_id for update;
    if not found then
        raise exception 'run % does not exist', run_id
            using errcode = 'no_data_found', hint = 'select * from backup.log shows all runs.';
    end if;
    -- A transaction sees pg_stat_activity as it was at its first look; forget what was seen while we waited.
    perform pg_catalog.pg_stat_clear_snapshot();
    return run;
end;
$$;

revoke all on function backup._lock from public;
comment on function backup._lock is 'Locks a run until the transaction ends, and answers it.';

-- Workers of an attempt that came to nothing: their session is gone, or they gave up with an error.
create or replace function backup._lost_workers(run backup.log)
returns setof backup.workers
language sql
stable
set search_path = ''
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

revoke all on function backup._lost_workers from public;
comment on function backup._lost_workers is 'Workers of the present attempt that died or gave up.';

-- Did a worker end in the middle of its work, as one does that used up its CPU or memory? A restart of the
-- server also ends their sessions, and says nothing about budgets.
create or replace function backup._worker_died(run backup.log)
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select
        from backup._lost_workers(run) lost
        where lost.error ->> 'code' = 'worker_ended'
            or lost.left_at is null and lost.backend_start > pg_postmaster_start_time()
                and not exists (select from backup.live_workers live where live.id = lost.id)
    );
$$;

revoke all on function backup._worker_died from public;
comment on function backup._worker_died is 'Did a worker of the present attempt die of its limits?';

-- Ends the present attempt of a locked run with `error` (code, message, hint). With `retry` and attempts left
-- the next one begins: new folder, new snapshot, new settings, smaller budgets after a death; true then.
-- Otherwise the run fails; false. Dispatching is the caller's: backup._steer().
create or replace function backup._end_attempt(run backup.log, error jsonb, retry boolean)
returns boolean
language plpgsql
set search_path = ''
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

revoke all on function backup._end_attempt from public;
comment on function backup._end_attempt is 'Ends an attempt: true when another one begins, false when the run has failed.';

-- Is the next attempt put off? A table that was locked when the last one began is locked for longer than a moment: by a vacuum full or a load at night. Trying again
-- at once would use up the attempts within seconds; a minute and six minutes later (with the default lock_timeout_ms) it may be free.
create or replace function backup._is_put_off(run backup.log)
returns boolean
language sql
stable
set search_path = ''
as $$
    select run.phase = 'planning'
        and last.attempt ->> 'phase' = 'planning'
        and last.attempt #>> '{error, code}' = 'lock_timeout'
        -- An end that lies in the future was noted by a clock that has been set back.
        and clock_timestamp() between last.ended_at and last.ended_at
            + least(interval '10 minutes', interval '1 millisecond' * (run.settings ->> 'lock_timeout_ms')::integer * 6 ^ jsonb_array_length(run.attempts))
    from (select run.attempts -> -1, (run.attempts -> -1 ->> 'ended_at')::timestamptz) last (attempt, ended_at);
$$;

revoke all on function backup._is_put_off from public;
comment on function backup._is_put_off is 'Does the next attempt wait for a table that was locked?';

-- Ends a locked run that did not succeed. Its workers learn of it from their next verb.
create or replace function backup._end_run(run backup.log, status text, error jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.log l
    set status = _end_run.status,
        finished_at = clock_timestamp(),
        error_code = coalesce(error ->> 'code', 'internal'),
        error_message = coalesce(error ->> 'message', 'the function gave no reason'),
        error_hint = error ->> 'hint'
    where l.id = run.id;
    perform backup._watch_off();
end;
$$;

revoke all on function backup._end_run from public;
comment on function backup._end_run is 'Ends a run as failed or cancelled.';

-- What does the run need now? Called whenever something changed (a start, a plan, a worker that leaves, an
-- attempt that ended) and every minute by the watch-dog. Doing it twice does no more than doing it once.
-- 1. A run of which no call comes to anything fails, with what pg_net saw.
-- 2. An attempt whose snapshot is lost, or that does not come forward, ends.
-- 3. As many workers are called as have work, less those that work or are on their way; later, when the attempt is put off.
create or replace function backup._steer(run_id bigint)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    calls record;
    error jsonb;
    unfinished bigint;
    wanted bigint;
    working bigint;
begin
    if run.finished_at is not null then
        return;
    end if;
    perform backup._collect_answers(run_id);
    select c.* into calls from backup._calls_of(run_id) c;
    error := backup._unreachable(calls.vain, calls.answer);
    if error is not null then
        perform backup._end_attempt(run, error, false);
        return;
    end if;
    error := backup._stuck(run);
    if error is not null then
        if not backup._end_attempt(run, error, true) then
            return;
        end if;
        run := backup._lock(run_id);
    end if;
    if backup._is_put_off(run) then
        return;
    end if;
    select count(*) into unfinished from backup.slices s where s.run_id = run.id and s.finished_at is null;
    -- One worker plans and one finishes; only slices can be shared.
    wanted := greatest(1, least(unfinished, (run.settings ->> 'workers')::bigint));
    select count(*) into working from backup.live_workers w where w.run_id = run.id and w.working;
    for i in 1 .. (wanted - working - calls.expected)::integer loop
        perform backup.dispatch(run.id);
    end loop;
end;
$$;

revoke all on function backup._steer from public;
comment on function backup._steer is 'Ends an attempt that cannot go on, and calls the workers that are missing.';

-- The error of a run whose calls come to nothing; null while there is hope. Five calls in vain are enough, and two
-- when the function itself refuses: a missing or wrongly deployed function does not mend in minutes.
create or replace function backup._unreachable(vain bigint, answer jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    status integer := (answer ->> 'status')::integer;
    refused boolean := coalesce(status between 400 and 499 and status not in (408, 429), false);
begin
    if vain < (case when refused then 2 else 5 end) then
        return null;
    end if;
    return jsonb_build_object(
        'code', 'function_unreachable',
        'message', format('the function did not begin work after %s calls: ', vain) || case
            when answer is null then 'pg_net has no response'
            when status is null then coalesce(answer ->> 'error', 'pg_net has an empty response')
            else format('it answered %s %s', status, answer ->> 'body')
        end,
        'hint', case
            when status in (401, 403) then 'Deploy the function with verify_jwt = false, as in supabase/config.toml (supabase functions deploy backup), '
                'and check that function_url in backup.settings is this project''s.'
            when status = 404 then 'Deploy the function (supabase functions deploy backup) and check function_url in backup.settings.'
            when status between 200 and 299 then 'The function answers but does not get to work: see its logs, and check that it reaches the database.'
            when status is not null then 'See the logs of the function.'
            when answer is null then 'Check that pg_net works: select net.check_worker_is_up(), and restart it with select net.worker_restart().'
            else 'Check function_url in backup.settings, and that the function is deployed.'
        end
    );
end;
$$;

revoke all on function backup._unreachable from public;
comment on function backup._unreachable is 'The error of a run whose calls come to nothing; null while there is hope.';

-- Adds to an attempt's error which tables were tried and not finished and, where one of their slices is far larger than slices are made, that no invocation can take it.
create or replace function backup._blame_slices(run backup.log, error jsonb)
returns jsonb
language sql
stable
set search_path = ''
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
        'message', (error ->> 'message') || coalesce('; tried in vain: ' || left((select string_agg(distinct tables, ', ') from tried), 200), ''),
        'hint', coalesce(
            (
                select format(
                    'A slice of %s cannot be cut below %s: a row is exported by one invocation, whose CPU ends at about 100 MB of text. '
                    'Keep such values in Storage, or try backup.configure(level => 1), which takes less CPU for a byte.',
                    left(giant.tables, 200), pg_size_pretty(giant.bytes)
                )
                from giant
            ),
            error ->> 'hint'
        )
    ));
$$;

revoke all on function backup._blame_slices from public;
comment on function backup._blame_slices is 'Adds to an attempt''s error which slices were tried in vain.';

-- The error of an attempt that cannot go on; null when it can.
create or replace function backup._stuck(run backup.log)
returns jsonb
language plpgsql
stable
set search_path = ''
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
        return backup._blame_slices(run, jsonb_build_object(
            'code', 'snapshot_lost',
            'message', format('all workers that held the snapshot ended with %s slices unfinished', unfinished),
            'hint', 'Workers end when the platform stops them or the database restarts: see the logs of the function.'
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
    -- What the last of them had to say tells more than that it failed.
    select w.* into last from backup._lost_workers(run) w where w.error is not null order by w.entered_at desc limit 1;
    return backup._blame_slices(run, coalesce(last.error, jsonb_build_object(
        'code', 'worker_died',
        'message', format('%s workers ended without a word while %s', lost, run.phase),
        'hint', 'See the logs of the function for limits of CPU, memory or time that it reached.'
    )));
end;
$$;

revoke all on function backup._stuck from public;
comment on function backup._stuck is 'The error of an attempt that cannot go on; null when it can.';

-- The server's clock was set back: whatever of an active run lies in the future happened just now. Otherwise a call or a lease would be waited for until the clock
-- is there again. Forward does no harm: leases run out, and are taken over or renewed.
create or replace function backup._meet_clock(run_id bigint)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.log l
    set started_at = least(l.started_at, clock_timestamp()),
        heartbeat_at = least(l.heartbeat_at, clock_timestamp()),
        progressed_at = least(l.progressed_at, clock_timestamp())
    where l.id = _meet_clock.run_id and greatest(l.started_at, l.heartbeat_at, l.progressed_at) > clock_timestamp();
    update backup.calls c
    set created_at = clock_timestamp(),
        used_at = least(c.used_at, clock_timestamp()),
        expires_at = c.expires_at - (c.created_at - clock_timestamp())
    where c.run_id = _meet_clock.run_id and c.created_at > clock_timestamp();
    update backup.workers w
    set entered_at = least(w.entered_at, clock_timestamp()),
        lease_until = least(w.lease_until, clock_timestamp() + make_interval(secs => (l.settings ->> 'lease_seconds')::integer))
    from backup.log l
    where w.run_id = _meet_clock.run_id and l.id = w.run_id and w.entered_at > clock_timestamp();
end;
$$;

revoke all on function backup._meet_clock from public;
comment on function backup._meet_clock is 'The clock was set back: what of a run lies in the future happened now.';

-- The watch-dog, called by pg_cron every minute while a run is active. It may be called at any time.
create or replace function backup.watch()
returns void
language plpgsql
set search_path = ''
as $$
declare
    active bigint;
begin
    -- A run that starts now must not lose the job that it has just found.
    perform backup._lock_starts();
    select l.id into active from backup.log l where l.finished_at is null;
    if found then
        perform backup._meet_clock(active);
        perform backup._steer(active);
    else
        perform backup._watch_off();
    end if;
end;
$$;

revoke all on function backup.watch from public;
comment on function backup.watch is 'The watch-dog: sees that the active run has workers, or ends it with the reason.';

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

create or replace function backup._set_pinned(name text, pinned boolean)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.log l
    set pinned = _set_pinned.pinned
    where l.name = _set_pinned.name and l.status = 'succeeded' and l.removed_at is null;
    if not found then
        raise exception 'there is no stored backup "%"', name
            using errcode = 'no_data_found',
                hint = 'select name from backup.log where status = ''succeeded'' and removed_at is null';
    end if;
end;
$$;

revoke all on function backup._set_pinned from public;
comment on function backup._set_pinned is 'Sets whether rotation may take a stored backup.';

-- Keeps a stored backup for good: rotation never removes it. Example: select backup.pin('backup-20261122-030000');
create or replace function backup.pin(name text)
returns void
language sql
-- service_role may pin, but not write the log.
security definer
set search_path = ''
as $$
    select backup._set_pinned(name, true);
$$;

revoke all on function backup.pin from public;
grant execute on function backup.pin to service_role;
comment on function backup.pin is 'Keeps a backup for good.';

-- Gives a backup back to rotation.
create or replace function backup.unpin(name text)
returns void
language sql
security definer
set search_path = ''
as $$
    select backup._set_pinned(name, false);
$$;

revoke all on function backup.unpin from public;
grant execute on function backup.unpin to service_role;
comment on function backup.unpin is 'Gives a backup back to rotation.';

-- A worker enters a run, and learns what to do. `backend_pid` is the process of its export session, which must exist.
-- Answers role (`plan`, `export`, `finish`; `none`: go away), the run, the snapshots that can be imported, newest first, and the settings
-- of the attempt. The same worker may ask again.
create or replace function backup._enter(run_id bigint, worker uuid, backend_pid integer)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    session_start timestamptz;
    role text := 'none';
    stuck jsonb;
begin
    -- The call has done its duty, whatever comes of the worker. The newest one: an older one whose worker died on its way in must not pass
    -- its place on, and have each later call taken for one that is still under way.
    update backup.calls c
    set worker = _enter.worker
    where c.hash = (
        select o.hash
        from backup.calls o
        where o.run_id = _enter.run_id and o.used_at is not null and o.worker is null
        order by o.used_at desc
        limit 1
    ) and not exists (select from backup.calls o where o.worker = _enter.worker);
    -- The watch-dog is the owner of the schema: a session that it cannot see would pass for dead with everybody but itself.
    select a.backend_start into session_start
    from pg_catalog.pg_stat_activity a, pg_catalog.pg_namespace n
    where a.pid = backend_pid
        and n.nspname = 'backup'
        and (pg_has_role(n.nspowner, a.usesysid, 'usage') or pg_has_role(n.nspowner, 'pg_read_all_stats', 'usage'));
    if session_start is null then
        raise exception 'worker % cannot enter run %: there is no session with process %', worker, run_id, backend_pid
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Connect to the database itself and as the role that owns the schema backup; a pooler in transaction mode hides the session.';
    end if;
    -- Entering an attempt whose snapshot is lost begins the next one.
    stuck := backup._stuck(run);
    if run.finished_at is null and stuck ->> 'code' = 'snapshot_lost' then
        perform backup._end_attempt(run, stuck, true);
        run := backup._lock(run_id);
    end if;
    if run.finished_at is null then
        role := backup._role(run, worker);
    end if;
    if role <> 'none' then
        -- A worker that comes back to another attempt, from another session or after it left is a new one: the snapshot that it
        -- held must not be offered to anybody.
        delete from backup.workers w
        where w.id = worker
            and (
                w.left_at is not null
                or (w.run_id, w.attempt, w.backend_pid, w.backend_start) <> (run.id, run.attempt, _enter.backend_pid, session_start)
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

revoke all on function backup._enter from public;
comment on function backup._enter is 'Lets a worker into a run: role, run, snapshots, settings.';

-- What one more worker is good for in this attempt.
create or replace function backup._role(run backup.log, worker uuid)
returns text
language plpgsql
stable
set search_path = ''
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
    -- Slices that others are at need no further hand.
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

revoke all on function backup._role from public;
comment on function backup._role is 'What one more worker is good for.';

-- Until when a worker that is heard of now may be silent.
create or replace function backup._lease(run backup.log)
returns timestamptz
language sql
volatile
set search_path = ''
as $$
    select clock_timestamp() + make_interval(secs => (run.settings ->> 'lease_seconds')::integer);
$$;

revoke all on function backup._lease from public;
comment on function backup._lease is 'Until when a worker that is heard of now may be silent.';

-- Is this worker still one of the locked run's present attempt? If so its lease is extended.
create or replace function backup._hear(run backup.log, worker uuid)
returns boolean
language plpgsql
set search_path = ''
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

revoke all on function backup._hear from public;
comment on function backup._hear is 'Extends a worker''s lease; false when it has lost its place.';

-- The same, for verbs that a worker without a place must not use. SQLSTATE BK001 is theirs alone: the worker
-- stops, and nothing is wrong with the run.
create or replace function backup._require_place(run backup.log, worker uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
    if not backup._hear(run, worker) then
        raise exception 'worker % has no place in run %: it ended, or another attempt began', worker, run.id
            using errcode = 'BK001', hint = 'The worker stops; the run, or what comes after it, goes on without it.';
    end if;
end;
$$;

revoke all on function backup._require_place from public;
comment on function backup._require_place is 'Extends a worker''s lease; raises BK001 when it has lost its place.';

-- Writes into the log how far a run is: finished slices, and what live workers have told of theirs.
create or replace function backup._note_progress(run backup.log)
returns void
language sql
set search_path = ''
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

revoke all on function backup._note_progress from public;
comment on function backup._note_progress is 'Writes into the log how far a run is.';

-- A sign of life. `progress` says what the worker is at ({slice, table, rows, raw_bytes} of its unfinished slice, or {phase} when it
-- verifies or rotates). False: the worker has lost its place, the run was cancelled or began anew; it stops at once.
create or replace function backup._heartbeat(run_id bigint, worker uuid, progress jsonb default null)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    if not backup._hear(run, worker) then
        return false;
    end if;
    update backup.workers w set progress = _heartbeat.progress where w.id = worker;
    update backup.log l
    set phase = _heartbeat.progress ->> 'phase'
    where l.id = run.id and _heartbeat.progress ->> 'phase' in ('finishing', 'verifying', 'rotating');
    perform backup._note_progress(run);
    return true;
end;
$$;

revoke all on function backup._heartbeat from public;
comment on function backup._heartbeat is 'A worker''s sign of life; false: stop at once.';

-- Why an attempt's plan cannot fit into Storage, as an error for the log; null when it can, or when nobody can know. How much smaller than
-- its rows the archive becomes is taken from the newest backup; before there is one, Storage itself has to refuse.
create or replace function backup._no_room(run backup.log, estimated_bytes bigint)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    part_bytes bigint := run.settings ->> 'part_bytes';
    quota bigint := run.settings ->> 'storage_quota_bytes';
    file_limit bigint;
    stored numeric;
    expected numeric;
begin
    if to_regclass('storage.buckets') is null then
        return null;
    end if;
    select b.file_size_limit into file_limit from storage.buckets b where b.id = run.settings ->> 'bucket';
    if file_limit < part_bytes then
        return jsonb_build_object(
            'code', 'too_large',
            'message', format(
                'the bucket "%s" takes objects of %s bytes, parts have up to %s', run.settings ->> 'bucket', file_limit, part_bytes
            ),
            'hint', format('select backup.configure(part_bytes => %s), or raise the limit of the bucket.', file_limit)
        );
    end if;
    select estimated_bytes * l.stored_bytes::numeric / l.raw_bytes into expected
    from backup.log l
    where l.status = 'succeeded' and l.raw_bytes > 0
    order by l.id desc
    limit 1;
    select coalesce(sum((o.metadata ->> 'size')::bigint), 0) into stored from storage.objects o;
    if quota > 0 and stored + expected > quota then
        return jsonb_build_object(
            'code', 'too_large',
            'message', format(
                'the backup needs about %s of Storage, which holds %s of its %s already',
                pg_size_pretty(expected), pg_size_pretty(stored), pg_size_pretty(quota)
            ),
            'hint', 'The old backups stay until the new one is verified. Keep fewer (backup.configure(keep_scheduled => 2), then npm run prune), '
                'remove files, or raise storage_quota_bytes with the project''s plan.'
        );
    end if;
    return null;
end;
$$;

revoke all on function backup._no_room from public;
comment on function backup._no_room is 'Why a plan cannot fit into Storage, or null.';

-- Stores the plan of an attempt; its worker is a holder of the snapshot from then on, and goes on exporting. Calls the other workers.
-- `plan` is {snapshot, server_version, tables, estimated_bytes, warnings, parts, slices, facts}.
create or replace function backup._plan(run_id bigint, worker uuid, plan jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    no_room jsonb;
begin
    perform backup._require_place(run, worker);
    -- A repeated call changes nothing; a second planner finds that it was too late.
    if exists (select from backup.plans p where p.run_id = run.id and p.worker = _plan.worker) then
        return;
    elsif exists (select from backup.plans p where p.run_id = run.id) then
        raise exception 'worker % cannot plan run %: another worker has planned it', worker, run_id
            using errcode = 'BK001', hint = 'The worker stops; the run goes on without it.';
    end if;
    no_room := backup._no_room(run, (plan ->> 'estimated_bytes')::bigint);
    if no_room is not null then
        -- Trying again would not make room. The worker finds that it has lost its place.
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
    perform backup._note_progress(run);
    perform backup._steer(run.id);
end;
$$;

revoke all on function backup._plan from public;
comment on function backup._plan is 'Stores the plan of an attempt and calls further workers.';

-- The tables that who joins the snapshot locks access share, so that none of them goes away under the run: those with rows still to be read. The others may be
-- changed by anybody from now on; waiting behind a migration of one would end the attempt for nothing.
create or replace function backup._locked(run_id bigint)
returns text[]
language sql
stable
set search_path = ''
as $$
    select coalesce(array_agg(distinct piece ->> 'table'), '{}')
    from backup.slices s, jsonb_array_elements(s.pieces) piece
    where s.run_id = _locked.run_id and s.finished_at is null and not piece ? 'largeObjects';
$$;

revoke all on function backup._locked from public;
comment on function backup._locked is 'Quoted names of the tables to lock access share: those with rows still to be read.';

-- The worker has imported the snapshot, locked the tables and exported the snapshot anew: others may import it from now on.
create or replace function backup._hold(run_id bigint, worker uuid, snapshot text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    perform backup._require_place(run, worker);
    update backup.workers w
    set snapshot = _hold.snapshot, held_at = clock_timestamp()
    where w.id = worker;
end;
$$;

revoke all on function backup._hold from public;
comment on function backup._hold is 'The worker holds the snapshot; others may import it from its session.';

-- How far the newest run is, or came, with each table: from what is finished of it and what live workers tell of the slice they are at. A slice of many
-- small tables tells nothing of each before it is finished.
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

comment on view backup.table_progress is 'How far the newest run is, or came, with each table.';
comment on column backup.table_progress.run_id is 'The run.';
comment on column backup.table_progress.table_name is 'The table, quoted and qualified.';
comment on column backup.table_progress.estimated_bytes is 'COPY text that was expected of it.';
comment on column backup.table_progress.raw_bytes is 'COPY text that is exported.';
comment on column backup.table_progress.rows is 'Rows of the pieces that are done.';
comment on column backup.table_progress.pieces is 'Into how many pieces it was cut.';
comment on column backup.table_progress.pieces_done is 'How many of them are stored.';

-- Gives the worker the next slice: {number, first_part, estimated_bytes, pieces}; null when there is none for it. A slice is free when
-- nobody has claimed it, or who did no longer works. Only slices whose estimate is within `bytes` are given; null gives any, so that
-- a worker's first slice always fits. Slices that were tried before come last: what killed one worker shall not stop the others. Pieces of large tables come after
-- whole ones: the fewer tables are still to be read, the fewer migrations meet the run.
create or replace function backup._claim_slice(run_id bigint, worker uuid, bytes bigint default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    claimed backup.slices;
begin
    if not backup._hear(run, worker) then
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
    -- Workers wait for the run's lock; a person who looks at slices under a lock holds nobody up.
    for update skip locked;
    if not found then
        return null;
    end if;
    -- A former owner that was silent for too long and comes back must not store parts beside the new one. One that died stays as it is.
    update backup.workers w
    set left_at = clock_timestamp(),
        error = coalesce(w.error, jsonb_build_object(
            'code', 'lease_lost', 'message', format('worker %s has taken over slice %s', worker, claimed.number)
        ))
    where w.id = claimed.worker and exists (select from backup.live_workers live where live.id = w.id);
    update backup.slices s
    set worker = _claim_slice.worker, tries = s.tries + 1
    where s.run_id = run.id and s.number = claimed.number;
    -- Whatever a former owner recorded is stored again under the same names.
    delete from backup.parts p where p.run_id = run.id and p.slice_number = claimed.number;
    return jsonb_build_object(
        'number', claimed.number,
        'first_part', claimed.first_part,
        'estimated_bytes', claimed.estimated_bytes,
        'pieces', claimed.pieces
    );
end;
$$;

revoke all on function backup._claim_slice from public;
comment on function backup._claim_slice is 'Gives a worker its next slice, or null.';

-- Records a part that the worker has stored; `slice_number` is null for a closing part, which the finisher stores.
-- May be repeated. Raises BK001 when the slice has gone to another worker.
create or replace function backup._part(run_id bigint, worker uuid, slice_number integer, name text, bytes bigint, sha256 text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    perform backup._require_place(run, worker);
    if not exists (
        select
        from backup.slices s
        where s.run_id = run.id and s.number = slice_number and s.worker = _part.worker and s.finished_at is null
    ) and not exists (
        select from backup.workers w where w.id = worker and w.role = 'finish' and slice_number is null
    ) then
        raise exception 'worker % cannot record part % of run %: it is not at slice %', worker, name, run_id, coalesce(slice_number::text, '(closing)')
            using errcode = 'BK001', hint = 'The slice is finished or has gone to another worker; claim the next one.';
    end if;
    insert into backup.parts as p (run_id, name, slice_number, bytes, sha256)
    values (run.id, _part.name, _part.slice_number, _part.bytes, _part.sha256)
    on conflict on constraint parts_pkey do update
    set slice_number = excluded.slice_number,
        bytes = excluded.bytes,
        sha256 = excluded.sha256,
        stored_at = excluded.stored_at,
        verified_at = null;
end;
$$;

revoke all on function backup._part from public;
comment on function backup._part is 'Records a stored part.';

-- The worker has stored all parts of a slice. `result` is {rows, raw_bytes, stored_bytes, pieces}. May be repeated.
-- False when the slice has gone to another worker: claim the next one.
create or replace function backup._finish_slice(run_id bigint, worker uuid, number integer, result jsonb)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    if not backup._hear(run, worker) then
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
    perform backup._note_progress(run);
    -- A call that came to nothing is repeated now, not in a minute.
    perform backup._steer(run.id);
    return true;
end;
$$;

revoke all on function backup._finish_slice from public;
comment on function backup._finish_slice is 'Marks a slice as finished; false when it has gone to another worker.';

-- The worker wants to leave; its unfinished slices go back at once. True: it may end. False: it is the last who holds the snapshot while slices
-- are unfinished; it keeps its session, asks again in a moment, and a successor has been called. `error` says why it gives up
-- before its time: {code, message, hint}; code `worker_ended` for an isolate that is being stopped, which makes the next attempt's budgets smaller.
create or replace function backup._leave(run_id bigint, worker uuid, error jsonb default null)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    stays boolean;
begin
    -- A worker without a place holds a snapshot that nobody needs.
    if not backup._hear(run, worker) then
        return true;
    end if;
    -- A slice that was given back in good order was not tried in vain.
    update backup.slices s
    set worker = null, tries = s.tries - case when _leave.error is null then 1 else 0 end
    where s.run_id = run.id and s.worker = _leave.worker and s.finished_at is null;
    stays := exists (select from backup.slices s where s.run_id = run.id and s.finished_at is null)
        and exists (select from backup.workers w where w.id = worker and w.held_at is not null)
        and not exists (
            select
            from backup.live_workers w
            where w.run_id = run.id and w.id <> worker and w.working and w.held_at is not null
        );
    update backup.workers w
    set error = coalesce(w.error, _leave.error),
        progress = null,
        leaving_at = coalesce(w.leaving_at, clock_timestamp()),
        left_at = case when not stays then clock_timestamp() end
    where w.id = worker;
    perform backup._steer(run.id);
    return not stays;
end;
$$;

revoke all on function backup._leave from public;
comment on function backup._leave is 'Lets a worker go, or false: hold the snapshot until a successor does.';

-- Makes the worker the finisher and gives it all it needs: {slices, parts, facts, run, settings, log}. Null while slices are unfinished or somebody
-- else finishes. `log` is every run that may have left something in the bucket, for rotation.
create or replace function backup._claim_finish(run_id bigint, worker uuid)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    if not backup._hear(run, worker)
        or not exists (select from backup.plans p where p.run_id = run.id)
        or exists (select from backup.slices s where s.run_id = run.id and s.finished_at is null)
        or exists (
            select from backup.live_workers w where w.run_id = run.id and w.id <> worker and w.role = 'finish' and w.working
        )
    then
        return null;
    end if;
    -- A former finisher must not go on beside this one, whether it was silent for too long or its session has ended: two of them would
    -- write two manifests. That it ended in the middle of its work is kept as its error.
    update backup.workers w
    set left_at = clock_timestamp(),
        error = coalesce(w.error, jsonb_build_object(
            'code', case
                when exists (select from backup.live_workers live where live.id = w.id)
                    or w.backend_start <= pg_postmaster_start_time() then 'lease_lost'
                else 'worker_ended'
            end,
            'message', format('worker %s has taken over the finish', worker)
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

revoke all on function backup._claim_finish from public;
comment on function backup._claim_finish is 'Makes a worker the finisher; null unless all slices are finished and nobody else finishes.';

-- Extends the finisher's lease; raises BK001 for any other worker.
create or replace function backup._require_finisher(run backup.log, worker uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_place(run, worker);
    if not exists (select from backup.workers w where w.id = worker and w.role = 'finish') then
        raise exception 'worker % does not finish run %', worker, run.id
            using errcode = 'BK001', hint = 'Claim the finish with backup._claim_finish() first.';
    end if;
end;
$$;

revoke all on function backup._require_finisher from public;
comment on function backup._require_finisher is 'Extends the finisher''s lease; raises BK001 for any other worker.';

-- This part was read back from Storage, and its checksum matched. Raises BK001 for anybody but the finisher: one of an earlier attempt
-- has read parts of the same names, and other bytes.
create or replace function backup._verified(run_id bigint, worker uuid, name text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    perform backup._require_finisher(run, worker);
    update backup.parts p
    set verified_at = coalesce(p.verified_at, clock_timestamp())
    where p.run_id = run.id and p.name = _verified.name;
    if not found then
        raise exception 'run % has no part %', run_id, name
            using errcode = 'no_data_found', hint = 'Parts are recorded with backup._part() before they are verified.';
    end if;
    update backup.log l set progressed_at = clock_timestamp() where l.id = run.id;
end;
$$;

revoke all on function backup._verified from public;
comment on function backup._verified is 'This part was read back and matched.';

-- The run is over and good. `result` is {rows, raw_bytes, stored_bytes, parts, checksum, warnings}; warnings are added to those of the plan.
-- May be repeated by the same finisher. Refused while a part has not been read back.
create or replace function backup._succeed(run_id bigint, worker uuid, result jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    unverified bigint;
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
        raise exception 'run % cannot succeed: % parts are not verified', run_id, unverified
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Read every part back and report it with backup._verified() first.';
    end if;
    -- A run without any death shows that the budgets can be larger again.
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
    perform backup._watch_off();
end;
$$;

revoke all on function backup._succeed from public;
comment on function backup._succeed is 'Ends a run as succeeded.';

-- Ends the attempt with `error` (code, message, hint). With `retry` and attempts left the next one begins and is dispatched: true.
-- Otherwise the run has failed: false. A worker without a place changes nothing, and one that merely came too late for a snapshot
-- which others hold only leaves: true.
create or replace function backup._fail(run_id bigint, worker uuid, error jsonb, retry boolean)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    again boolean;
begin
    if not backup._hear(run, worker) then
        return false;
    end if;
    -- The holder that it wanted to import from left in that moment; the snapshot is not lost while another holds it.
    if error ->> 'code' = 'snapshot_lost' and exists (
        select from backup.live_workers w where w.run_id = run.id and w.id <> worker and w.held_at is not null
    ) then
        return backup._leave(run.id, worker, error);
    end if;
    -- It has left before its session ends: this was no death.
    update backup.workers w set left_at = clock_timestamp(), error = _fail.error where w.id = worker;
    again := backup._end_attempt(run, error, retry);
    perform backup._steer(run.id);
    return again;
end;
$$;

revoke all on function backup._fail from public;
comment on function backup._fail is 'Ends an attempt with an error; true when another one begins.';

-- Rotation has removed this backup from the bucket, even if somebody pinned it while that was being done: the log says what is. Folders of earlier attempts have no row, and need none.
create or replace function backup._removed(name text)
returns void
language sql
set search_path = ''
as $$
    update backup.log l
    set removed_at = clock_timestamp(), pinned = false
    where l.name = _removed.name and l.removed_at is null and l.finished_at is not null;
$$;

revoke all on function backup._removed from public;
comment on function backup._removed is 'Rotation has removed this backup.';
