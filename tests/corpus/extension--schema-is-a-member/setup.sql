-- not restored: the extension was given a schema that its script does not make
create extension hstore; create schema inside; alter extension hstore add schema inside;
create table inside.t (a integer); insert into inside.t values (1); grant usage on schema inside to actor; create function inside.f() returns integer language sql as $$ select 1 $$;
create type inside.e as enum ('a'); grant select on inside.t to actor;
