-- An extension of the platform makes `drop policy if exists` and `drop trigger if exists` on a table that is missing an
-- error for `postgres`, where PostgreSQL says a notice. Here an event trigger reads the table from the text that the
-- client sent, so what a function or a do block executes passes.
create function extensions.refuse_missing_table()
returns event_trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    name text := (regexp_match(
        current_query(),
        '\mdrop\s+(?:policy|trigger)\s+if\s+exists\s+(?:"(?:[^"]|"")+"|[\w$]+)\s+on\s+'
        || '((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)', 'i'
    ))[1];
begin
    if session_user = 'postgres' and name is not null and to_regclass(name) is null then
        raise exception 'relation "%" does not exist', replace(name, '"', '')
            using errcode = 'undefined_table', hint = 'Leave the statement out where the table is missing.';
    end if;
end;
$$;

create event trigger refuse_missing_table on ddl_command_start
when tag in ('DROP POLICY', 'DROP TRIGGER')
execute function extensions.refuse_missing_table();
