create or replace view backup.table_progress with (security_invoker = true) as
select
    s.run_id,
    p.piece ->> 'table' as table_name,
    sum((p.piece ->> 'estimatedBytes')::bigint)::bigint as estimated_bytes,
    sum(coalesce((r.result ->> 'rawBytes')::bigint, (w.progress ->> 'raw_bytes')::bigint, 0))::bigint as raw_bytes,
    sum(coalesce((r.result ->> 'rows')::bigint, 0))::bigint as rows,
    count(*) as pieces,
    count(s.finished_at) as pieces_done
from backup.slices s
cross join lateral jsonb_array_elements(s.pieces) with ordinality p (piece, place)
left join lateral (select s.result -> 'pieces' -> (p.place - 1)::integer as result) r on s.finished_at is not null
left join backup.live_workers w
    on w.run_id = s.run_id and w.id = s.worker and s.finished_at is null and (w.progress ->> 'slice')::integer = s.number
        and jsonb_array_length(s.pieces) = 1
group by s.run_id, p.piece ->> 'table';

comment on view backup.table_progress is
    'How far the newest run is, or came, with each table. A slice of many small tables counts when it is '
    'finished.';
comment on column backup.table_progress.run_id is 'The run.';
comment on column backup.table_progress.table_name is 'The table, quoted and qualified.';
comment on column backup.table_progress.estimated_bytes is 'COPY text that was expected.';
comment on column backup.table_progress.raw_bytes is 'COPY text that was exported.';
comment on column backup.table_progress.rows is 'Rows of finished pieces.';
comment on column backup.table_progress.pieces is 'Number of pieces that it was cut into.';
comment on column backup.table_progress.pieces_done is 'Number of pieces that are stored.';
