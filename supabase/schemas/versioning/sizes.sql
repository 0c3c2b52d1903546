-- Reads all of the history once: a minute or so for millions of versions.
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

revoke all on versioning.sizes from anon, authenticated, service_role;
grant select on versioning.sizes to service_role;

comment on view versioning.sizes is 'How much history each table has.';
comment on column versioning.sizes.schema_name is 'The table''s schema.';
comment on column versioning.sizes.table_name is 'The table.';
comment on column versioning.sizes.tracked is 'Is it tracked now?';
comment on column versioning.sizes.versions is 'Versions kept.';
comment on column versioning.sizes.entities is 'Rows that have versions.';
comment on column versioning.sizes.bytes is 'Bytes of the versions, indexes not counted.';
comment on column versioning.sizes.oldest is 'The oldest version.';
comment on column versioning.sizes.newest is 'The newest version.';
