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
    -- A complete copy has a size.
    constraint verified_with_size check (verified_at is null or (objects is not null and bytes is not null)),
    constraint failed_with_reason check ((failed_at is null) = (error is null))
);

alter table backup.copies enable row level security;

comment on table backup.copies is
    'Second copies of backups, outside the project; only the function knows where. select * from backup.copies '
    'order by run_id desc';
comment on column backup.copies.run_id is 'The run whose backup it is.';
comment on column backup.copies.begun_at is 'When copying began.';
comment on column backup.copies.verified_at is
    'When all its objects were in the second bucket with the size and checksum of the manifest.';
comment on column backup.copies.checked_at is 'When they were last checked there.';
comment on column backup.copies.objects is 'Objects of the copy, including the manifest.';
comment on column backup.copies.bytes is 'Bytes of all of them.';
comment on column backup.copies.failures is 'Failures in a row; 0 after any success.';
comment on column backup.copies.failed_at is 'When the last failure happened; null after any success.';
comment on column backup.copies.retry_at is 'When it is tried again at the earliest.';
comment on column backup.copies.error is 'The last failure: code, message, hint.';
comment on column backup.copies.removed_at is
    'When it was removed from the second bucket, after rotation had removed the backup from the first.';
comment on column backup.copies.files_at is 'When the files of Storage of that time had been copied.';
comment on column backup.copies.files_left is
    'Files that could not be copied: larger than 50 MB, or missing from Storage.';

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

alter table backup.copied enable row level security;

comment on table backup.copied is
    'Objects of copies that have arrived, so that an invocation continues where another one ended.';
comment on column backup.copied.run_id is 'The copy.';
comment on column backup.copied.name is 'Name of the object in the backup''s folder.';
comment on column backup.copied.bytes is 'Its size.';
comment on column backup.copied.sha256 is 'The SHA-256 that it was stored with.';
comment on column backup.copied.copied_at is 'When it arrived.';
