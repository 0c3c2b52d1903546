create table if not exists backup.slices (
    run_id bigint not null references backup.plans (run_id) on delete cascade,
    number integer not null,
    first_part integer not null,
    estimated_bytes bigint not null,
    pieces jsonb not null,
    worker uuid,
    tries integer not null default 0,
    finished_at timestamptz,
    result jsonb,

    primary key (run_id, number),
    constraint number_range check (number >= 0),
    constraint first_part_range check (first_part between 0 and 99999),
    constraint estimated_bytes_range check (estimated_bytes >= 0),
    constraint pieces_form check (jsonb_typeof(pieces) = 'array'),
    -- A finished slice has a worker and a result.
    constraint finished_with_result check ((finished_at is null) = (result is null) and (finished_at is null or worker is not null))
);

-- Claims only look for unfinished slices; a large run has thousands of finished ones.
create index if not exists unfinished_slices on backup.slices (run_id, number) where finished_at is null;

alter table backup.slices enable row level security;

comment on table backup.slices is
    'The work of a run''s present attempt; a slice is what one worker exports in one go.';
comment on column backup.slices.run_id is 'The run.';
comment on column backup.slices.number is 'Position of the slice in the archive.';
comment on column backup.slices.first_part is 'First of the part numbers that belong to the slice.';
comment on column backup.slices.estimated_bytes is
    'Expected COPY text of its pieces, including the cost of their statements.';
comment on column backup.slices.pieces is 'The pieces of tables to export, in archive order.';
comment on column backup.slices.worker is 'The worker that claimed it; null while it waits.';
comment on column backup.slices.tries is 'How often it was claimed and not given back in good order.';
comment on column backup.slices.finished_at is 'When its last part was stored.';
comment on column backup.slices.result is
    'rows, raw_bytes, stored_bytes, and the same with checksums for each piece.';
