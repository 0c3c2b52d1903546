create function public.modes(a integer, out b text, inout c numeric, variadic d text[]) returns record
    language plpgsql as $$ begin b := a; end $$;
create function public.unnamed(integer, text, "char") returns text language sql as $$ select $2 $$;
create function public.defaults(a text default 'it''s', b timestamptz default now(), c integer[] default '{}', d text default null)
    returns text language sql as $$ select a $$;
create function public.rows_of(a integer) returns table (x integer, "Y" text) language sql as $$ select 1, 'a' $$;
create function public.set_of(a integer) returns setof integer language sql as $$ select a $$;
create function public.any_of(anyelement, anyarray) returns anyelement language sql as $$ select $1 $$;
create function public.variadic_any(variadic "any") returns integer language internal as 'pg_num_nulls';
