-- Rows of each table in each of the newest backups: what tells a table that came back empty.
create table if not exists backup.table_rows (
    run_id bigint not null references backup.log (id) on delete cascade,
    schema text not null,
    name text not null,
    rows bigint not null,
    raw_bytes bigint not null,

    primary key (run_id, schema, name),
    constraint counted check (rows >= 0 and raw_bytes >= 0)
);

-- No policies: should the schema ever be exposed, the API's roles still see nothing.
alter table backup.table_rows enable row level security;

comment on table backup.table_rows is 'Rows of each table in the newest ten backups, as their manifests have them.';
comment on column backup.table_rows.run_id is 'The run.';
comment on column backup.table_rows.schema is 'Schema of the table.';
comment on column backup.table_rows.name is 'The table.';
comment on column backup.table_rows.rows is 'Rows in the backup, counted by COPY itself.';
comment on column backup.table_rows.raw_bytes is 'COPY text before compression.';

-- Keeps what a run has counted, and forgets what is older than the newest ten. `tables` is [{schema, name, rows, rawBytes}].
create or replace function backup._keep_table_rows(run_id bigint, tables jsonb)
returns void
language sql
set search_path = ''
as $$
    delete from backup.table_rows t where t.run_id = _keep_table_rows.run_id;
    insert into backup.table_rows (run_id, schema, name, rows, raw_bytes)
    select _keep_table_rows.run_id, t.schema, t.name, t.rows, t."rawBytes"
    from jsonb_to_recordset(tables) t (schema text, name text, rows bigint, "rawBytes" bigint);
    delete from backup.table_rows t
    where t.run_id in (
        select l.id
        from backup.log l
        where exists (select from backup.table_rows o where o.run_id = l.id)
        order by l.started_at desc
        offset 10
    );
$$;

revoke all on function backup._keep_table_rows from public;
comment on function backup._keep_table_rows is 'Keeps the rows of each table in a backup.';

-- The finisher tells what each table has; it may do so again. Raises BK001 for anybody else.
create or replace function backup._tables(run_id bigint, worker uuid, tables jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    perform backup._require_finisher(run, worker);
    perform backup._keep_table_rows(run.id, tables);
end;
$$;

revoke all on function backup._tables from public;
comment on function backup._tables is 'The finisher tells what each table has.';
