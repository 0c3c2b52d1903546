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
