-- Who can be told of events, and what was told. The addresses and keys of the channels are secrets of the function and never come here: it
-- reports their names, whenever it plans a run or is called for alerts.
create table if not exists backup.channels (
    name text primary key,
    state text not null,
    problem text,
    since timestamptz not null default clock_timestamp(),
    reported_at timestamptz not null default clock_timestamp(),

    constraint state_known check (state in ('on', 'off', 'wrong')),
    constraint problem_when_wrong check ((state = 'wrong') = (problem is not null))
);

-- No policies: should the schema ever be exposed, the API's roles still see nothing.
alter table backup.channels enable row level security;

grant select on backup.channels to service_role;

comment on table backup.channels is 'Channels for alerts and pings, as the function last reported them.';
comment on column backup.channels.name is 'webhook, slack, discord, teams, email or ping.';
comment on column backup.channels.state is 'on, off (its variables are not set) or wrong (they are, and cannot be used).';
comment on column backup.channels.problem is 'What is wrong, without any secret.';
comment on column backup.channels.since is 'When it came into this state: older events are not told to a new channel.';
comment on column backup.channels.reported_at is 'When the function last said so.';

-- One row an attempt. That an event is told once on each channel follows from this table alone.
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

grant select on backup.alerts to service_role;

comment on table backup.alerts is 'Attempts to tell somebody of an event. select * from backup.alerts order by id desc';
comment on column backup.alerts.id is 'Number of the attempt.';
comment on column backup.alerts.event_id is 'The event of backup.events; null for a test (npm run alert:test).';
comment on column backup.alerts.channel is 'The channel''s name.';
comment on column backup.alerts.attempt is 'Which attempt in a row this was; after a success they count anew.';
comment on column backup.alerts.made_at is 'When it was recorded.';
comment on column backup.alerts.outcome is 'sent (the receiver answered 2xx) or failed.';
comment on column backup.alerts.status is 'HTTP status of the answer; null when there was none.';
comment on column backup.alerts.error is 'Why it failed, without any secret.';
comment on column backup.alerts.milliseconds is 'How long it took.';
