create function public.on_ddl() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger e on ddl_command_end execute function public.on_ddl();
create materialized view public.mv as select 1 as a;
alter default privileges grant select on tables to actor;
