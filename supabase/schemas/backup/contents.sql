create or replace view backup.contents with (security_invoker = true) as
select l.name as backup, l.started_at, t.schema, t.name as "table", t.rows, t.raw_bytes
from backup.table_rows t
join backup.log l on l.id = t.run_id
where l.status = 'succeeded' and l.removed_at is null;

comment on view backup.contents is
    'What the stored backups hold: their tables with rows and bytes. select * from backup.contents where "table" = '
    '''orders''';
comment on column backup.contents.backup is 'Name of the backup.';
comment on column backup.contents.started_at is 'When its run began.';
comment on column backup.contents.schema is 'Schema of the table.';
comment on column backup.contents."table" is
    'The table; pg_largeobject_metadata in pg_catalog stands for all large objects.';
comment on column backup.contents.rows is 'Rows in the backup, counted by COPY itself.';
comment on column backup.contents.raw_bytes is 'COPY text before compression.';
