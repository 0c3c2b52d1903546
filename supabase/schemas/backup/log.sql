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
    cpu_ms bigint,

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
    'rows, workers, and what they do; problem {message, hint} while no call of the function comes to anything.';
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
comment on column backup.log.cpu_ms is 'CPU that its invocations have used, as they estimated it; null where none did.';
