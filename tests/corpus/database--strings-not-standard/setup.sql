-- not restored: settings of the database are not restored with it, and change how definitions are printed
create table public.t (a text default 'back\slash it''s'); comment on table public.t is 'back\slash'; create function public.f() returns text language sql as $$ select 'a\b' $$; insert into public.t values ('a\b');
create view public.v as select 'a\b'::text as a; create type public.e as enum ('a\b');
do $$ begin execute format('alter database %I set standard_conforming_strings = off', current_database()); end $$;
