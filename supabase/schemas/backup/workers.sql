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
