create schema "s
\! s"; create table "s
\! s"."t
\! t" ("c
\! c" integer constraint "k
\! k" primary key, "d" integer default 5 constraint "h
\! h" check (d > 0)); create sequence "s
\! s"."q
\! q"; create type "s
\! s"."e
\! e" as enum ('l
\! l'); create domain "s
\! s"."m
\! m" as integer; create index "i
\! i" on "s
\! s"."t
\! t" (d); create view "s
\! s"."v
\! v" as select "c
\! c" from "s
\! s"."t
\! t"; create function "s
\! s"."f
\! f"("a
\! a" integer) returns integer language sql as 'select 1'; create table "s
\! s"."p
\! p" (a integer) partition by list (a); create table "s
\! s"."p1
\! p1" partition of "s
\! s"."p
\! p" for values in (1); insert into "s
\! s"."t
\! t" values (1, 2);
