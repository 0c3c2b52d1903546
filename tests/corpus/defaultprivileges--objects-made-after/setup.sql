alter default privileges in schema public grant select, insert on tables to actor;
alter default privileges grant execute on functions to actor;
alter default privileges revoke usage on types from public;
create table public.t (a integer);
create function public.f() returns integer language sql as $$ select 1 $$;
create type public.genre as enum ('a');
create sequence public.s;
create view public.v as select 1 as a;
create schema ensemble;
