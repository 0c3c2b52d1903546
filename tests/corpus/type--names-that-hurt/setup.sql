create type public."Type" as enum ('a');
create type public."select" as (a integer);
create domain public."a""b" as text;
create type public."c'd" as range (subtype = integer);
create table public.t (a public."Type", b public."select", c public."a""b", d public."c'd", e public."Type"[], f "char", g "char"[]);
