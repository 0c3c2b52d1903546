-- from version: 17
create function public.on_login() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger e on login execute function public.on_login();
