create table if not exists backup.parts (
    run_id bigint not null references backup.plans (run_id) on delete cascade,
    name text not null,
    slice_number integer,
    bytes bigint not null,
    sha256 text not null,
    stored_at timestamptz not null default now(),
    verified_at timestamptz,

    primary key (run_id, name),
    constraint name_form check (name ~ '^[0-9]{5}\.dump(\.age)?$'),
    constraint bytes_range check (bytes > 0),
    constraint sha256_form check (sha256 ~ '^[0-9a-f]{64}$')
);

alter table backup.parts enable row level security;

comment on table backup.parts is 'Objects of the archive that a run''s present attempt has stored in the bucket.';
comment on column backup.parts.run_id is 'The run.';
comment on column backup.parts.name is 'Name of the object in the backup''s folder; name order is archive order.';
comment on column backup.parts.slice_number is
    'The slice it belongs to; null for the table of contents and for closing parts.';
comment on column backup.parts.bytes is 'Its size.';
comment on column backup.parts.sha256 is 'Its SHA-256 in hexadecimal, computed before the upload.';
comment on column backup.parts.stored_at is 'When it was recorded.';
comment on column backup.parts.verified_at is 'When it was read back and its SHA-256 matched.';
