create domain public.title as text;
alter domain public.title owner to director;
revoke all on type public.title from public;
grant usage on domain public.title to actor;
