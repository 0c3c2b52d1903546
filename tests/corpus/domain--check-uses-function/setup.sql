create function public.is_title(text) returns boolean language sql immutable as $$ select $1 <> '' $$;
create domain public.title as text constraint is_title check (public.is_title(value));
create table public.play (title public.title);
insert into public.play values ('Faust');
