create table if not exists backup.calls (
    hash bytea primary key,
    purpose text not null,
    run_id bigint references backup.log (id) on delete cascade,
    request_id bigint,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    used_at timestamptz,
    worker uuid,
    answer jsonb,

    constraint hash_form check (length(hash) = 32),
    constraint purpose_known check (purpose in ('run', 'copy', 'alert', 'restore')),
    constraint run_of_run_calls check ((purpose = 'run') = (run_id is not null))
);

create index if not exists calls_of_run on backup.calls (run_id, created_at);

alter table backup.calls enable row level security;

comment on table backup.calls is
    'Calls of the function. Only hashes of their one-time tokens are kept: a reader of this table cannot call.';
comment on column backup.calls.hash is 'SHA-256 of the token.';
comment on column backup.calls.purpose is
    'What the function is called for: run, copy, alert or restore. The token begins with it and is valid for nothing '
    'else.';
comment on column backup.calls.run_id is 'The only run that the token is valid for; null for other purposes.';
comment on column backup.calls.request_id is
    'pg_net''s number of the request; null for a call that a worker sends itself. pg_net starts again at 1 after a crash.';
comment on column backup.calls.created_at is 'When the call was queued.';
comment on column backup.calls.expires_at is 'When the token expires.';
comment on column backup.calls.used_at is 'When the function presented the token, which is valid once.';
comment on column backup.calls.worker is 'The worker that this call produced.';
comment on column backup.calls.answer is
    'pg_net''s response (status, error, body), copied because pg_net deletes it after some hours.';
