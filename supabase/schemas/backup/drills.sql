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
    'One row for each drill: a backup restored into a scratch database and compared. Written by supabase-backup drill. '
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
