create or replace function backup.peek(table_name text, rows integer default 20, backup text default 'latest')
returns table (status text, record jsonb)
language plpgsql
-- service_role may ask, but not write the table.
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._find_backup(backup);
    place record;
    asked backup.peeks;
begin
    if rows is null or rows not between 1 and 1000 then
        raise exception 'Cannot look at % rows', coalesce(rows::text, 'null')
            using errcode = 'invalid_parameter_value', hint = 'Give rows between 1 and 1000.';
    end if;
    perform backup._require_function();
    select f.schema, f.name into place from backup._find_table(run.id, table_name) f;
    delete from backup.peeks p where p.asked_at < now() - interval '1 hour';
    insert into backup.peeks as p (backup, schema, name, row_limit)
    values (run.name, place.schema, place.name, peek.rows)
    on conflict on constraint asked_once do nothing;
    select p.* into strict asked
    from backup.peeks p
    where p.backup = run.name and p.schema = place.schema and p.name = place.name and p.row_limit = peek.rows;
    if asked.error is not null then
        delete from backup.peeks p where p.id = asked.id;
        return query select format('failed: %s. %s', asked.error ->> 'message', asked.error ->> 'hint'), null::jsonb;
    elsif asked.found is null then
        perform backup.watch();
        return query select format('asked at %s: run this statement again in a few seconds', asked.asked_at::time(0)), null::jsonb;
    elsif jsonb_array_length(asked.found) = 0 then
        return query select format('%s.%s has no rows in %s', asked.schema, asked.name, asked.backup), null::jsonb;
    else
        return query
        select format('row %s in %s', r.place, asked.backup), r.value
        from jsonb_array_elements(asked.found) with ordinality r (value, place)
        order by r.place;
    end if;
end;
$$;

comment on function backup.peek is
    'Returns the first rows of a table in a backup. The first call only asks, because the database calls the function '
    'when the transaction commits; the same call a few seconds later returns the rows, as texts by column. Example: '
    'select * from backup.peek(''public.orders'', rows => 20)';
