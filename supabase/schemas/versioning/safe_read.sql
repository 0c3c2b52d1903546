create or replace function versioning_private.require_safe_read(relation regclass, purpose text, advice text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    found text;
begin
    with members as (
        select relation as oid union select p.relid from pg_catalog.pg_partition_tree(relation) p
    ), objects as (
        select 'pg_class'::regclass as class, m.oid from members m
        union all
        select 'pg_class'::regclass, i.indexrelid from members m join pg_catalog.pg_index i on i.indrelid = m.oid
        union all
        select 'pg_statistic_ext'::regclass, s.oid from members m join pg_catalog.pg_statistic_ext s on s.stxrelid = m.oid
    )
    select format('run function %s of role "%s"', f.function, f.owner) into found
    from objects o
    join versioning._foreign_functions f on f.class = o.class and f.object = o.oid
    union all
    select format('follow policies of table %s', m.oid::regclass) from members m where row_security_active(m.oid)
    limit 1;
    if found is not null then
        raise exception 'Cannot % table "%": role "%" would %', purpose, relation, current_user, found
            using errcode = 'insufficient_privilege', hint = advice;
    end if;
end;
$$;

comment on function versioning_private.require_safe_read is
    'Raises when reading a table would run code of an untrusted role: the server evaluates parts of its index, '
    'statistics and partitioning expressions when it plans a query, and its policies when it reads.';
