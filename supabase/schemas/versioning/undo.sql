-- One row, named by its last version in the transaction: from what that left to what the first one found. Null when both are nothing.
create or replace function versioning._undo_one(version bigint, if_changed text)
returns jsonb
language plpgsql
set search_path = ''
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

revoke all on function versioning._undo_one from public;
grant execute on function versioning._undo_one to anon, authenticated, service_role;
comment on function versioning._undo_one is 'Puts one row back to what it was before a transaction.';

-- Takes back what a transaction did to tracked rows: each is put back to what it was before it. All or nothing, except what `if_changed` allows: a row
-- changed since is refused, merged (what was changed since stays) or overwritten. Undoing is a transaction itself, and can be undone.
-- Last changed first, which is the order that foreign and unique keys want; a row that one refuses waits until others are put back.
-- Example: select * from versioning.undo(876233123456);
create or replace function versioning.undo(transaction bigint, if_changed text default 'refuse')
returns setof jsonb
language plpgsql
set search_path = ''
as $$
declare
    id bigint;
    ids bigint[];
    waiting bigint[];
    done jsonb;
    refusal text;
    refused_as text;
begin
    -- One number stands for an entity: that of its last version in the transaction.
    ids := array(
        select max(r.id) from versioning.records r
        where r.transaction = undo.transaction and r.operation <> 'baseline'
        group by r.table_id, r.key
        order by 1 desc
    );
    if cardinality(ids) = 0 then
        raise exception 'transaction % has no versions that you may read', transaction
            using errcode = 'no_data_found', hint = 'versioning.history has the number in its column `transaction`.';
    end if;
    set constraints all deferred;
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
            raise exception 'transaction % cannot be undone: %', transaction, refusal
                using errcode = refused_as, hint = 'Put back, or remove, the rows that it speaks of first.';
        end if;
        ids := waiting;
    end loop;
end;
$$;

revoke all on function versioning.undo from public;
grant execute on function versioning.undo to anon, authenticated, service_role;
comment on function versioning.undo is 'Takes back what a transaction did to tracked rows.';
