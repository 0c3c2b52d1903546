create extension citext; create extension btree_gin; create extension pgcrypto; create extension tablefunc;
create table public.t (a citext primary key, b bytea default gen_random_bytes(2), c citext[] default '{}', check (a <> 'x'::citext)); create index on public.t using gin (a); create view public.v as select a = 'X' as e from public.t;
create function public.f(citext) returns citext language sql immutable as $$ select $1 $$; create domain public.email as citext check (value ~ '@'); create aggregate public.agg(citext) (sfunc = citext_larger, stype = citext);
create policy p on public.t using (a = current_user::citext); create rule r as on update to public.t do also select crypt('a', 'b');
