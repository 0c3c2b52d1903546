create table if not exists backup.table_rows (
    run_id bigint not null references backup.log (id) on delete cascade,
    schema text not null,
    name text not null,
    rows bigint not null,
    raw_bytes bigint not null,

    primary key (run_id, schema, name),
    constraint counted check (rows >= 0 and raw_bytes >= 0)
);

alter table backup.table_rows enable row level security;

comment on table backup.table_rows is
    'Rows of each table in the backups that are stored, and in the ten newest that were removed.';
comment on column backup.table_rows.run_id is 'The run.';
comment on column backup.table_rows.schema is 'Schema of the table.';
comment on column backup.table_rows.name is 'The table.';
comment on column backup.table_rows.rows is 'Rows in the backup, counted by COPY itself.';
comment on column backup.table_rows.raw_bytes is 'COPY text before compression.';

create or replace function backup._replace_table_counts(run_id bigint, tables jsonb)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    delete from backup.table_rows t where t.run_id = _replace_table_counts.run_id;
    insert into backup.table_rows (run_id, schema, name, rows, raw_bytes)
    select _replace_table_counts.run_id, t.schema, t.name, t.rows, t."rawBytes"
    from jsonb_to_recordset(tables) t (schema text, name text, rows bigint, "rawBytes" bigint);
    delete from backup.table_rows t
    where t.run_id in (
        select l.id
        from backup.log l
        where l.removed_at is not null and exists (select from backup.table_rows o where o.run_id = l.id)
        order by l.started_at desc
        offset 10
    );
$$;

comment on function backup._replace_table_counts is
    'Stores the rows of each table [{schema, name, rows, rawBytes}] of a run, and forgets those of removed backups '
    'but the ten newest.';

create or replace function backup._record_table_counts(run_id bigint, worker uuid, tables jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    perform backup._require_finisher(run, worker);
    perform backup._replace_table_counts(run.id, tables);
end;
$$;

comment on function backup._record_table_counts is
    'Stores the finisher''s counts of each table. May be repeated. Raises BK001 for anybody else.';
