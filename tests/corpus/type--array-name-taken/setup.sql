create type public._genre as enum ('x');
create type public.genre as enum ('y');
create table public._t (a integer);
create table public.t (a public.genre[], b public._genre[], c public._t[]);
