create schema f; create function f."On DDL"() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger "\! echo
hurt" on ddl_command_end when tag in ('CREATE TABLE', 'ALTER TABLE', 'DROP FUNCTION') execute function f."On DDL"();
comment on event trigger "\! echo
hurt" is 'x';
alter event trigger "\! echo
hurt" disable;
