create function public.touched() returns trigger language plpgsql as $$ begin return new; end $$;
create function public.on_ddl() returns event_trigger language plpgsql as $$ begin end $$;
