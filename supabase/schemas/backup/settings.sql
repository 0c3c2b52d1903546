-- How backups are made: one row, changed by `backup.configure()`.
-- Each rule is a constraint, and its comment is the hint that `configure()` gives when it is broken.
create table if not exists backup.settings (
    id boolean primary key default true,
    function_url text,
    bucket text not null default 'backups',
    slice_bytes bigint not null default 32000000,
    invocation_bytes bigint not null default 80000000,
    part_bytes integer not null default 41943040,
    storage_quota_bytes bigint not null default 0,
    level integer not null default 4,
    workers integer not null default 2,
    lease_seconds integer not null default 60,
    call_ttl_seconds integer not null default 300,
    max_attempts integer not null default 3,
    lock_timeout_ms integer not null default 10000,
    keep_scheduled integer not null default 4,
    keep_manual integer not null default 4,
    keep_weekly integer not null default 0,
    keep_monthly integer not null default 0,
    keep_yearly integer not null default 0,
    alert_reminder_days integer not null default 7,
    recipient text,
    second_copy text,
    budget_halvings integer not null default 0,

    constraint one_row check (id),
    constraint function_url_form check (function_url ~ '^https?://[^[:space:][:cntrl:]/?#@]+/[^[:space:][:cntrl:]?#@]*$'),
    constraint bucket_form check (bucket ~ '^[A-Za-z0-9._-]{1,100}$'),
    constraint slice_bytes_range check (slice_bytes between 65536 and 1073741824),
    constraint slice_fits_its_parts check (slice_bytes <= 3::bigint * part_bytes),
    constraint invocation_bytes_range check (invocation_bytes between 65536 and 10737418240),
    constraint part_bytes_range check (part_bytes between 65536 and 50000000),
    constraint storage_quota_bytes_range check (storage_quota_bytes >= 0),
    constraint level_range check (level between 1 and 9),
    constraint workers_range check (workers between 1 and 8),
    constraint lease_seconds_range check (lease_seconds between 2 and 3600),
    constraint call_ttl_seconds_range check (call_ttl_seconds between 10 and 3600),
    constraint max_attempts_range check (max_attempts between 1 and 10),
    constraint lock_timeout_ms_range check (lock_timeout_ms between 1 and 3600000),
    constraint keep_scheduled_range check (keep_scheduled between 1 and 1000),
    constraint keep_manual_range check (keep_manual between 1 and 1000),
    constraint keep_weekly_range check (keep_weekly between 0 and 1000),
    constraint keep_monthly_range check (keep_monthly between 0 and 1000),
    constraint keep_yearly_range check (keep_yearly between 0 and 1000),
    constraint alert_reminder_days_range check (alert_reminder_days between 1 and 365),
    constraint recipient_form check (recipient is null or backup.is_recipient(recipient)),
    constraint second_copy_known check (second_copy in ('s3', 's3_with_files', 'none')),
    constraint budget_halvings_range check (budget_halvings between 0 and 6)
);

-- No policies: should the schema ever be exposed, the API's roles still see nothing.
alter table backup.settings enable row level security;

-- A person with the service key may look; changes go through configure().
grant select on backup.settings to service_role;

comment on table backup.settings is 'How backups are made; one row. Change it with backup.configure().';
comment on column backup.settings.id is 'Always true: the table has one row.';
comment on column backup.settings.function_url is 'Where the Edge Function `backup` answers; no backup starts before it is set.';
comment on column backup.settings.bucket is 'Storage bucket that the backups go to.';
comment on column backup.settings.slice_bytes is 'COPY text of one slice, as estimated; large tables are cut to this size.';
comment on column backup.settings.invocation_bytes is 'COPY text that one invocation takes on: what two seconds of CPU export with room to spare.';
comment on column backup.settings.part_bytes is 'Largest object in the bucket; below the 50 MB that the free plan takes.';
comment on column backup.settings.storage_quota_bytes is 'What the project''s Storage may hold in all: a run that would exceed it fails before it exports. 0: not known.';
comment on column backup.settings.level is 'Deflate level; 4 is smaller than pg_dump''s default and twice as fast.';
comment on column backup.settings.workers is 'Invocations that export at the same time.';
comment on column backup.settings.lease_seconds is 'How long a worker may be silent before others take over its slices.';
comment on column backup.settings.call_ttl_seconds is 'How long the one-time token of a call to the function stays valid.';
comment on column backup.settings.max_attempts is 'How often a run is tried, each time with a new snapshot.';
comment on column backup.settings.lock_timeout_ms is 'How long a backup waits for a table that DDL has locked before it gives the attempt up.';
comment on column backup.settings.keep_scheduled is 'Newest scheduled backups that rotation keeps.';
comment on column backup.settings.keep_manual is 'Newest manual backups that rotation keeps.';
comment on column backup.settings.keep_weekly is 'Weeks of which rotation keeps a backup.';
comment on column backup.settings.keep_monthly is 'Months of which rotation keeps a backup.';
comment on column backup.settings.keep_yearly is 'Years of which rotation keeps a backup.';
comment on column backup.settings.alert_reminder_days is 'Days until a failing verdict that lasts is told again.';
comment on column backup.settings.recipient is 'age''s public keys that backups are encrypted to, divided by commas; null where they are not encrypted.';
comment on column backup.settings.second_copy is 's3: backups are copied to the bucket of the function''s secrets; s3_with_files: Storage''s files too; none: one copy is enough; null: not decided, which health warns of.';
comment on column backup.settings.budget_halvings is 'How often slice_bytes and invocation_bytes are halved at present; workers that died raise it, success lowers it.';

comment on constraint one_row on backup.settings is 'There is one row of settings; change it with backup.configure().';
comment on constraint function_url_form on backup.settings is
    'function_url is the full address of the function, without user, query or fragment: https://<project-ref>.supabase.co/functions/v1/backup';
comment on constraint bucket_form on backup.settings is 'bucket is the name of a Storage bucket: 1 to 100 letters, digits, dots, dashes or underscores.';
comment on constraint slice_bytes_range on backup.settings is 'slice_bytes is between 65536 (64 KiB) and 1073741824 (1 GiB).';
comment on constraint slice_fits_its_parts on backup.settings is
    'slice_bytes is at most three times part_bytes: a slice has three parts for its rows, and rows may not compress at all.';
comment on constraint invocation_bytes_range on backup.settings is 'invocation_bytes is between 65536 (64 KiB) and 10737418240 (10 GiB).';
comment on constraint part_bytes_range on backup.settings is 'part_bytes is between 65536 (64 KiB) and 50000000 (50 MB, the free plan''s limit for a file).';
comment on constraint storage_quota_bytes_range on backup.settings is 'storage_quota_bytes is what the plan gives Storage, in bytes (the free plan 1000000000); 0 when it is not known.';
comment on constraint level_range on backup.settings is 'level is between 1 (fast) and 9 (small).';
comment on constraint workers_range on backup.settings is 'workers is between 1 and 8.';
comment on constraint lease_seconds_range on backup.settings is 'lease_seconds is between 2 and 3600.';
comment on constraint call_ttl_seconds_range on backup.settings is 'call_ttl_seconds is between 10 and 3600.';
comment on constraint max_attempts_range on backup.settings is 'max_attempts is between 1 and 10.';
comment on constraint lock_timeout_ms_range on backup.settings is 'lock_timeout_ms is between 1 and 3600000 (an hour).';
comment on constraint keep_scheduled_range on backup.settings is 'keep_scheduled is between 1 and 1000: rotation never leaves you without a backup.';
comment on constraint keep_manual_range on backup.settings is 'keep_manual is between 1 and 1000.';
comment on constraint keep_weekly_range on backup.settings is 'keep_weekly is between 0 and 1000.';
comment on constraint keep_monthly_range on backup.settings is 'keep_monthly is between 0 and 1000.';
comment on constraint keep_yearly_range on backup.settings is 'keep_yearly is between 0 and 1000.';
comment on constraint alert_reminder_days_range on backup.settings is 'alert_reminder_days is between 1 and 365.';
comment on constraint recipient_form on backup.settings is
    'recipient is a public key of age as age-keygen prints it (age1…, 62 characters), or up to eight, divided by commas; '''' turns encryption off. Never the secret half.';
comment on constraint second_copy_known on backup.settings is 'second_copy is s3 or s3_with_files (docs/second-copy.md has what the function needs for them), or none.';
comment on constraint budget_halvings_range on backup.settings is 'budget_halvings is between 0 and 6; it is counted by the runs themselves.';
