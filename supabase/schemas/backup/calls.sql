-- Calls of the function, each with a token of its own. Only the token's hash is kept: who reads this table
-- cannot call.
create table if not exists backup.calls (
    hash bytea primary key,
    run_id bigint references backup.log (id) on delete cascade,
    request_id bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    used_at timestamptz,
    worker uuid,
    answer jsonb,

    constraint hash_form check (length(hash) = 32)
);

create index if not exists calls_of_run on backup.calls (run_id, created_at);

-- Nobody but the owner; no policies, no grants.
alter table backup.calls enable row level security;

comment on table backup.calls is 'Calls of the function, with hashes of their one-time tokens.';
comment on column backup.calls.hash is 'SHA-256 of the token.';
comment on column backup.calls.run_id is 'The only run that the token is good for; null for a call for alerts.';
comment on column backup.calls.request_id is 'pg_net''s number of the request; pg_net counts anew after a crash.';
comment on column backup.calls.created_at is 'When the call was queued.';
comment on column backup.calls.expires_at is 'From when on the token is refused.';
comment on column backup.calls.used_at is 'When the function showed the token; it is good once.';
comment on column backup.calls.worker is 'The worker that came of the call.';
comment on column backup.calls.answer is 'pg_net''s evidence, copied because pg_net drops it after some hours: status, error, body.';
