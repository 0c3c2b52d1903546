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
