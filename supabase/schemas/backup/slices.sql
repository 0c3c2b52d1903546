-- The work of an attempt, cut into what one worker exports in one go.
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
    -- Done means done by someone, with a result.
    constraint finished_with_result check ((finished_at is null) = (result is null) and (finished_at is null or worker is not null))
);

-- Claims look for unfinished slices only; a large run has thousands of finished ones.
create index if not exists unfinished_slices on backup.slices (run_id, number) where finished_at is null;

-- Nobody but the owner; no policies, no grants.
alter table backup.slices enable row level security;

comment on table backup.slices is 'Slices of a run''s present attempt.';
comment on column backup.slices.run_id is 'The run.';
comment on column backup.slices.number is 'Place of the slice in the archive.';
comment on column backup.slices.first_part is 'First of the part numbers that belong to the slice.';
comment on column backup.slices.estimated_bytes is 'COPY text that is expected of its pieces, with what their statements cost.';
comment on column backup.slices.pieces is 'The pieces of tables to export, in archive order.';
comment on column backup.slices.worker is 'Who has claimed it; null while it waits.';
comment on column backup.slices.tries is 'How often it was claimed and not given back in good order.';
comment on column backup.slices.finished_at is 'When its last part was stored.';
comment on column backup.slices.result is 'rows, raw_bytes, stored_bytes, and the same with checksums for each piece.';
