create or replace function versioning._undo_one(version bigint, if_changed text)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    last record := versioning._record(version);
    left_row versioning.records := last.record;
    first record := versioning._record((
        select min(r.id) from versioning.records r
        where r.table_id = left_row.table_id and r.key = left_row.key and r.transaction = left_row.transaction
    ));
    target text[] := versioning._before(first.record, first.layout);
    base text[] := versioning._after(last.record, last.layout);
begin
    if target is null and base is null then
        return null;
    end if;
    return versioning._put_back(
        left_row.table_id, left_row.key, target, first.layout, base, last.layout, null, if_changed,
        'undid transaction ' || left_row.transaction
    );
end;
$$;

comment on function versioning._undo_one is
    'Restores the row of a version to what it was before the transaction of that version, which must be its last one '
    'there. Returns null if the row did not exist before or after.';

create or replace function versioning.undo(transaction bigint, if_changed text default 'refuse')
returns setof jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    id bigint;
    ids bigint[];
    waiting bigint[];
    done jsonb;
    refusal text;
    refused_as text;
begin
    -- The last version in the transaction stands for its entity.
    ids := array(
        select max(r.id) from versioning.records r
        where r.transaction = undo.transaction and r.operation <> 'baseline'
        group by r.table_id, r.key
        order by 1 desc
    );
    if cardinality(ids) = 0 then
        raise exception 'Transaction % has no versions or you may not read them', transaction
            using errcode = 'no_data_found',
                hint = 'Find the number in the column `transaction` of versioning.history.';
    end if;
    set constraints all deferred;
    -- Last changed first, as foreign and unique keys usually need. A row that one refuses waits for the others.
    while cardinality(ids) > 0 loop
        waiting := '{}';
        foreach id in array ids loop
            begin
                done := versioning._undo_one(id, if_changed);
                if done is not null then
                    return next done;
                end if;
            exception
                when foreign_key_violation or unique_violation or exclusion_violation then
                    waiting := waiting || id;
                    refusal := sqlerrm;
                    refused_as := sqlstate;
            end;
        end loop;
        if waiting = ids then
            raise exception 'Cannot undo transaction %: %', transaction, refusal
                using errcode = refused_as, hint = 'First restore or delete the rows that this message names.';
        end if;
        ids := waiting;
    end loop;
end;
$$;

comment on function versioning.undo is
    'Restores all tracked rows that a transaction changed to what they were before it, all or none. `if_changed` '
    'decides about rows that have changed since: refuse, merge or overwrite. It is a transaction itself and can be '
    'undone. Example: select * from versioning.undo(876233123456)';
