create domain public.title as text;
create function public.is_title(public.title) returns boolean language sql immutable as $$ select true $$;
alter domain public.title add constraint is_title check (public.is_title(value));
