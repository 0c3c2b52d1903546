-- The second copy, outside the project: one row a backup that was, or is being, copied. Which backups are to be copied follows from the log;
-- where to, only the function knows, from its secrets.
create table if not exists backup.copies (
    run_id bigint primary key references backup.log (id) on delete cascade,
    begun_at timestamptz not null default clock_timestamp(),
    verified_at timestamptz,
    checked_at timestamptz,
    objects bigint,
    bytes bigint,
    failures integer not null default 0,
    failed_at timestamptz,
    retry_at timestamptz,
    error jsonb,
    removed_at timestamptz,
    files_at timestamptz,
    files_left bigint,

    constraint failures_range check (failures >= 0),
    -- A copy is whole, with its size, or it is not.
    constraint verified_with_size check (verified_at is null or (objects is not null and bytes is not null)),
    constraint failed_with_reason check ((failed_at is null) = (error is null))
);

-- No policies: should the schema ever be exposed, the API's roles still see nothing.
alter table backup.copies enable row level security;

grant select on backup.copies to service_role;

comment on table backup.copies is 'Second copies of backups, outside the project. select * from backup.copies order by run_id desc';
comment on column backup.copies.run_id is 'The run whose backup it is.';
comment on column backup.copies.begun_at is 'When the first object of it was asked for.';
comment on column backup.copies.verified_at is 'When all its objects were there, with the size and checksum that the manifest has.';
comment on column backup.copies.checked_at is 'When they were last looked up there.';
comment on column backup.copies.objects is 'Objects of the copy, the manifest among them.';
comment on column backup.copies.bytes is 'Bytes of all of them.';
comment on column backup.copies.failures is 'How often in a row something went wrong; 0 after any success.';
comment on column backup.copies.failed_at is 'When something last went wrong; null after any success.';
comment on column backup.copies.retry_at is 'Not before then is it tried again.';
comment on column backup.copies.error is 'What went wrong: code, message, hint.';
comment on column backup.copies.removed_at is 'When it was removed there, after rotation had removed the backup here.';
comment on column backup.copies.files_at is 'When Storage''s files of that time had been copied, too.';
comment on column backup.copies.files_left is 'Files that could not be: larger than 50 MB, or not in Storage.';

-- What has arrived of each copy, so that an invocation goes on where another one ended.
create table if not exists backup.copied (
    run_id bigint not null references backup.copies (run_id) on delete cascade,
    name text not null,
    bytes bigint not null,
    sha256 text not null,
    copied_at timestamptz not null default clock_timestamp(),

    primary key (run_id, name),
    constraint name_form check (name ~ '^[A-Za-z0-9_-][A-Za-z0-9._-]*$'),
    constraint bytes_range check (bytes >= 0),
    constraint sha256_form check (sha256 ~ '^[0-9a-f]{64}$')
);

-- Nobody but the owner; no policies, no grants.
alter table backup.copied enable row level security;

comment on table backup.copied is 'Objects of copies that have arrived.';
comment on column backup.copied.run_id is 'The copy.';
comment on column backup.copied.name is 'Name of the object in the backup''s folder.';
comment on column backup.copied.bytes is 'Its size.';
comment on column backup.copied.sha256 is 'Its SHA-256, with which it was stored there.';
comment on column backup.copied.copied_at is 'When it had arrived.';

-- Invocations that copy. Two never copy at the same time: the one whose session lives has the turn.
create table if not exists backup.copiers (
    id uuid primary key,
    backend_pid integer not null,
    backend_start timestamptz not null,
    entered_at timestamptz not null default clock_timestamp(),
    lease_until timestamptz not null,
    run_id bigint,
    left_at timestamptz
);

-- Nobody but the owner; no policies, no grants.
alter table backup.copiers enable row level security;

comment on table backup.copiers is 'Invocations that copy backups out of the project.';
comment on column backup.copiers.id is 'The invocation''s own choice.';
comment on column backup.copiers.backend_pid is 'Process of its session.';
comment on column backup.copiers.backend_start is 'Start of that process: process numbers come back.';
comment on column backup.copiers.entered_at is 'When it entered.';
comment on column backup.copiers.lease_until is 'Until when it may be silent.';
comment on column backup.copiers.run_id is 'The backup that it is at; null before the first.';
comment on column backup.copiers.left_at is 'When it left; null for one that died.';

-- Calls for copying, each with a token of its own that is good for nothing else. Only the token's hash is kept.
create table if not exists backup.copy_calls (
    hash bytea primary key,
    request_id bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    used_at timestamptz,

    constraint hash_form check (length(hash) = 32)
);

-- Nobody but the owner; no policies, no grants.
alter table backup.copy_calls enable row level security;

comment on table backup.copy_calls is 'Calls of the function for copying, with hashes of their one-time tokens.';
comment on column backup.copy_calls.hash is 'SHA-256 of the token.';
comment on column backup.copy_calls.request_id is 'pg_net''s number of the request.';
comment on column backup.copy_calls.created_at is 'When the call was queued.';
comment on column backup.copy_calls.expires_at is 'From when on the token is refused.';
comment on column backup.copy_calls.used_at is 'When the function showed the token; it is good once.';
