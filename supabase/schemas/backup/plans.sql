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
