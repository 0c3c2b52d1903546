create table if not exists backup.settings (
    id boolean primary key default true,
    function_url text,
    bucket text not null default 'backups',
    slice_bytes bigint not null default 20000000,
    invocation_bytes bigint not null default 100000000,
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
    leave_out text[] not null default '{}',

    constraint one_row check (id),
    constraint function_url_form check (function_url ~ '^https?://[^[:space:][:cntrl:]/?#@<>]+/[^[:space:][:cntrl:]?#@<>]*$'),
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
    constraint recipient_form check (recipient ~ '^ *age1[02-9ac-hj-np-z]{51}[qs][02-9ac-hj-np-z]{6} *(, *age1[02-9ac-hj-np-z]{51}[qs][02-9ac-hj-np-z]{6} *){0,7}$'),
    constraint second_copy_known check (second_copy in ('s3', 's3_with_files', 'none')),
    constraint budget_halvings_range check (budget_halvings between 0 and 6),
    constraint leave_out_form check (array_to_string(leave_out, chr(10), '') ~ '^([^.\n]+\.[^\n]+(\n[^.\n]+\.[^\n]+)*)?$')
);

alter table backup.settings enable row level security;

comment on table backup.settings is 'How backups are made; one row. Change it with backup.configure().';
comment on column backup.settings.id is 'Always true: the table has one row.';
comment on column backup.settings.function_url is 'Address of the Edge Function; no backup starts before it is set.';
comment on column backup.settings.bucket is 'Storage bucket for the backups.';
comment on column backup.settings.slice_bytes is
    'Estimated COPY text of one slice; large tables are cut to this size.';
comment on column backup.settings.invocation_bytes is
    'COPY text that one invocation exports: what fits into the CPU of an isolate''s life with a margin.';
comment on column backup.settings.part_bytes is
    'Largest object in the bucket; below the free plan''s limit of 50 MB.';
comment on column backup.settings.storage_quota_bytes is
    'Storage quota of the plan: a run that would exceed it fails before it exports. 0 if unknown.';
comment on column backup.settings.level is
    'Deflate level. 4 compresses more than pg_dump''s default and is twice as fast.';
comment on column backup.settings.workers is 'Invocations that export at the same time; each is joined by its successor before it ends.';
comment on column backup.settings.lease_seconds is
    'Seconds without a heartbeat after which other workers take over a worker''s slices.';
comment on column backup.settings.call_ttl_seconds is 'Seconds for which the one-time token of a call is valid.';
comment on column backup.settings.max_attempts is 'How often a run is tried, each time with a new snapshot.';
comment on column backup.settings.lock_timeout_ms is
    'Milliseconds that a backup waits for a table locked by DDL before it ends the attempt.';
comment on column backup.settings.keep_scheduled is 'Newest scheduled backups that rotation keeps.';
comment on column backup.settings.keep_manual is 'Newest manual backups that rotation keeps.';
comment on column backup.settings.keep_weekly is 'Number of weeks for which rotation keeps a backup.';
comment on column backup.settings.keep_monthly is 'Number of months for which rotation keeps a backup.';
comment on column backup.settings.keep_yearly is 'Number of years for which rotation keeps a backup.';
comment on column backup.settings.alert_reminder_days is
    'Days after which an alert is repeated while the backups are still failing.';
comment on column backup.settings.recipient is
    'Public keys of age that backups are encrypted to, separated by commas; null for no encryption.';
comment on column backup.settings.second_copy is
    's3: backups are copied to the bucket of the function''s secrets; s3_with_files: Storage''s files too; none: '
    'one copy is enough; null: undecided, which backup.health warns about.';
comment on column backup.settings.budget_halvings is
    'How often slice_bytes and invocation_bytes are halved at present: a death of a worker raises it, a success '
    'lowers it.';

comment on column backup.settings.leave_out is
    'Tables, as schema.table, whose rows are not backed up; their definitions are. Each run warns of them.';

comment on constraint one_row on backup.settings is
    'There is one row of settings; change it with backup.configure().';
comment on constraint function_url_form on backup.settings is
    'function_url is the full address of the function, without user, query or fragment: '
    'https://<project-ref>.supabase.co/functions/v1/backup, with the reference of your project.';
comment on constraint bucket_form on backup.settings is
    'bucket is the name of a Storage bucket: 1 to 100 letters, digits, dots, dashes or underscores.';
comment on constraint slice_bytes_range on backup.settings is
    'slice_bytes is between 65536 (64 KiB) and 1073741824 (1 GiB).';
comment on constraint slice_fits_its_parts on backup.settings is
    'slice_bytes is at most three times part_bytes: a slice has three parts for its rows, which may not compress '
    'at all.';
comment on constraint invocation_bytes_range on backup.settings is
    'invocation_bytes is between 65536 (64 KiB) and 10737418240 (10 GiB).';
comment on constraint part_bytes_range on backup.settings is
    'part_bytes is between 65536 (64 KiB) and 50000000 (50 MB, the free plan''s limit for a file).';
comment on constraint storage_quota_bytes_range on backup.settings is
    'storage_quota_bytes is the Storage quota of the plan in bytes (1000000000 on the free plan), or 0 if '
    'unknown.';
comment on constraint level_range on backup.settings is 'level is between 1 (fast) and 9 (small).';
comment on constraint workers_range on backup.settings is 'workers is between 1 and 8.';
comment on constraint lease_seconds_range on backup.settings is 'lease_seconds is between 2 and 3600.';
comment on constraint call_ttl_seconds_range on backup.settings is 'call_ttl_seconds is between 10 and 3600.';
comment on constraint max_attempts_range on backup.settings is 'max_attempts is between 1 and 10.';
comment on constraint lock_timeout_ms_range on backup.settings is
    'lock_timeout_ms is between 1 and 3600000 (an hour).';
comment on constraint keep_scheduled_range on backup.settings is
    'keep_scheduled is between 1 and 1000, so that rotation never leaves you without a backup.';
comment on constraint keep_manual_range on backup.settings is 'keep_manual is between 1 and 1000.';
comment on constraint keep_weekly_range on backup.settings is 'keep_weekly is between 0 and 1000.';
comment on constraint keep_monthly_range on backup.settings is 'keep_monthly is between 0 and 1000.';
comment on constraint keep_yearly_range on backup.settings is 'keep_yearly is between 0 and 1000.';
comment on constraint alert_reminder_days_range on backup.settings is 'alert_reminder_days is between 1 and 365.';
comment on constraint recipient_form on backup.settings is
    'recipient is a public key of age as age-keygen prints it (age1…, 62 characters), or up to eight, separated '
    'by commas; '''' turns encryption off. Never give the secret key.';
comment on constraint second_copy_known on backup.settings is
    'second_copy is s3 or s3_with_files (see docs/second-copy.md for the secrets of the function), or none.';
comment on constraint budget_halvings_range on backup.settings is
    'budget_halvings is between 0 and 6; runs count it themselves.';
comment on constraint leave_out_form on backup.settings is
    'leave_out is a list of tables as schema.table, not quoted: ''{public.logs, public.blobs}''; ''{}'' backs up all rows.';
