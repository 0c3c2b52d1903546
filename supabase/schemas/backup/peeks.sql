create table if not exists backup.peeks (
    id bigint generated always as identity primary key,
    backup text not null,
    schema text not null,
    name text not null,
    row_limit integer not null,
    asked_at timestamptz not null default now(),
    answered_at timestamptz,
    found jsonb,
    error jsonb,

    constraint asked_once unique (backup, schema, name, row_limit),
    constraint row_limit_range check (row_limit between 1 and 1000),
    constraint answered_with_something check ((answered_at is null) = (num_nonnulls(found, error) = 0))
);

alter table backup.peeks enable row level security;

comment on table backup.peeks is 'Rows of stored backups that backup.peek() has asked for; kept for an hour.';
comment on column backup.peeks.id is 'Number of the question.';
comment on column backup.peeks.backup is 'The backup.';
comment on column backup.peeks.schema is 'Schema of the table.';
comment on column backup.peeks.name is 'The table.';
comment on column backup.peeks.row_limit is 'Most rows wanted.';
comment on column backup.peeks.asked_at is 'When it was asked.';
comment on column backup.peeks.answered_at is 'When the function answered.';
comment on column backup.peeks.found is 'The rows, as objects of texts by column.';
comment on column backup.peeks.error is 'Why there are none: code, message, hint.';
