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
    retired_at timestamptz,
    facts jsonb,

    constraint purpose_known check (purpose in ('run', 'copy', 'alert', 'restore')),
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
    'run, copy, alert or restore. Several workers may share a run; the others have one at a time.';
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
comment on column backup.workers.retired_at is
    'When its isolate had used so much CPU that the platform gives it no further calls, so its successor was called.';
comment on column backup.workers.facts is
    'What it found out about the platform: encrypted (its connection to the database), uploads (why fetch uploads '
    'instead of our own client, or null), calls (why it could not call its successor), cpu_ms (an estimate of what its isolate has used), own_cpu_ms (what of it this '
    'worker has used).';

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
comment on column backup.live_workers.purpose is 'run, copy, alert or restore.';
comment on column backup.live_workers.run_id is 'The run, or the backup that is being copied.';
comment on column backup.live_workers.role is 'In a run: plan, export or finish.';
comment on column backup.live_workers.snapshot is 'The snapshot that can be imported from it.';
comment on column backup.live_workers.held_at is 'When it began to hold the snapshot.';
comment on column backup.live_workers.progress is 'Its present work.';
comment on column backup.live_workers.working is 'False for one that waits to leave or whose lease expired.';
