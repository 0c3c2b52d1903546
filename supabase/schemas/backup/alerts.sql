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
comment on column backup.alerts.event_id is 'The event of backup.events; null for a test (supabase-backup alerts test).';
comment on column backup.alerts.channel is 'The channel''s name.';
comment on column backup.alerts.attempt is 'Number of the attempt; counting restarts after a success.';
comment on column backup.alerts.made_at is 'When it was recorded.';
comment on column backup.alerts.outcome is 'sent (the receiver answered 2xx) or failed.';
comment on column backup.alerts.status is 'HTTP status of the answer, or null.';
comment on column backup.alerts.error is 'Why it failed; it contains no secret.';
comment on column backup.alerts.milliseconds is 'How long it took.';
