create table public.b (a integer); create table public.a (a integer); create table public."A" (a integer); create table public."é" (a integer); create table public._ (a integer);
create table public.a_b (a integer); create table public."a-b" (a integer); create table public.ab (a integer); create table public."a b" (a integer);
create schema z; create schema "Z"; create schema a;
create table z.a (a integer); create table "Z".a (a integer); create table a.a (a integer);
create function public.f(text) returns integer language sql as $$ select 1 $$;
create function public."F"(text) returns integer language sql as $$ select 1 $$;
create function z.f(text) returns integer language sql as $$ select 1 $$;
create index b_2 on public.b (a); create index b_1 on public.b (a); create index "B" on public.b (a);
