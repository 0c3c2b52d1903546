create or replace view versioning.sizes with (security_invoker = true) as
select
    t.schema_name,
    t.table_name,
    t.tracked,
    count(r.id) as versions,
    count(distinct r.key) as entities,
    coalesce(sum(pg_column_size(r.*)), 0) as bytes,
    min(r.at) as oldest,
    max(r.at) as newest
from versioning.tables t
left join versioning.records r on r.table_id = t.id
group by t.id;

comment on view versioning.sizes is
    'How much history each table has. Reading it takes a minute or so for millions of versions.';
comment on column versioning.sizes.schema_name is 'Schema of the table.';
comment on column versioning.sizes.table_name is 'Name of the table.';
comment on column versioning.sizes.tracked is 'Whether the table is tracked now.';
comment on column versioning.sizes.versions is 'Number of versions.';
comment on column versioning.sizes.entities is 'Number of rows that have versions.';
comment on column versioning.sizes.bytes is 'Bytes of the versions, without indexes.';
comment on column versioning.sizes.oldest is 'Time of the oldest version.';
comment on column versioning.sizes.newest is 'Time of the newest version.';
