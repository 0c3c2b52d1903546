create table if not exists backup.restores (
    id bigint generated always as identity primary key,
    kind text not null,
    backup text not null,
    subject text,
    keys text[],
    into_schema text,
    target text,
    status text not null default 'queued',
    requested_at timestamptz not null default now(),
    started_at timestamptz,
    progressed_at timestamptz not null default now(),
    finished_at timestamptz,
    rows bigint not null default 0,
    raw_bytes bigint not null default 0,
    progress text,
    exceptions jsonb not null default '[]',
    see_differences text,
    insert_missing text,
    update_changed text,
    create_again text,
    error_code text,
    error_message text,
    error_hint text,
    state jsonb,
    failures integer not null default 0,
    retry_at timestamptz,

    constraint kind_known check (kind in ('table', 'rows', 'schema', 'drill', 'command')),
    constraint status_known check (status in ('queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled')),
    constraint backup_form check (backup ~ '^[^[:cntrl:]]{1,200}$'),
    constraint ended_when_inactive check ((status in ('queued', 'running', 'cancelling')) = (finished_at is null)),
    constraint failure_has_reason check (status <> 'failed' or (error_code is not null and error_message is not null)),
    constraint exceptions_form check (jsonb_typeof(exceptions) = 'array'),
    constraint counts_range check (least(rows, raw_bytes, failures) >= 0)
);

alter table backup.restores enable row level security;

comment on table backup.restores is
    'Restores: of tables beside the living ones, asked for in SQL; drills of the project itself; and what the command '
    'line restored into this database. select * from backup.restores order by id desc';
comment on column backup.restores.id is 'Number of the restore.';
comment on column backup.restores.kind is
    'table, rows or schema (a copy beside the living tables), drill (into a scratch database), or command (by the '
    'command line).';
comment on column backup.restores.backup is 'The backup that is restored; of a command the file or folder.';
comment on column backup.restores.subject is 'The table (schema.table) or schema; null for everything.';
comment on column backup.restores.keys is 'Primary keys of the rows that are restored; null for all rows.';
comment on column backup.restores.into_schema is 'The schema that the copies are in.';
comment on column backup.restores.target is 'Where it was restored to, in words; null for a copy beside.';
comment on column backup.restores.status is
    'queued, running, cancelling, succeeded (see exceptions), failed or cancelled.';
comment on column backup.restores.requested_at is 'When it was asked for.';
comment on column backup.restores.started_at is 'When the function began.';
comment on column backup.restores.progressed_at is 'When it last came further.';
comment on column backup.restores.finished_at is 'When it ended, whatever its status.';
comment on column backup.restores.rows is 'Rows restored so far.';
comment on column backup.restores.raw_bytes is 'COPY text read so far.';
comment on column backup.restores.progress is 'What it is doing, in words.';
comment on column backup.restores.exceptions is
    'What is not as in the backup: {entry, how or why, mend}. Empty when everything is.';
comment on column backup.restores.see_differences is 'Queries that show what differs from the living tables.';
comment on column backup.restores.insert_missing is
    'Statements that insert the rows that the living tables lack, referenced tables first. Read them, then run them.';
comment on column backup.restores.update_changed is
    'Statements that set changed rows to what they were. Read them, then run them.';
comment on column backup.restores.create_again is
    'Where living tables are gone: the statements of the backup that create them, with the rows of the copies. They run '
    'the tables'' own defaults, checks and triggers as you. Read them, then run them.';
comment on column backup.restores.error_code is 'Why it failed: a word for programs.';
comment on column backup.restores.error_message is 'Why it failed.';
comment on column backup.restores.error_hint is 'What to do about it.';
comment on column backup.restores.state is 'Where the next invocation goes on; of interest to the function alone.';
comment on column backup.restores.failures is 'Failures in a row, after which it is tried again.';
comment on column backup.restores.retry_at is 'When it is tried again at the earliest.';
