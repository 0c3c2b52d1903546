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
