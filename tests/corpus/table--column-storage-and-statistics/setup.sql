create table public.t (a text, b text compression pglz, c text, d bytea, e integer, f jsonb);
alter table public.t alter column a set storage external, alter column c set storage main, alter column d set storage plain,
    alter column e set statistics 500, alter column f set statistics 0;
alter table public.t alter column e set (n_distinct = 5), alter column a set (n_distinct_inherited = -0.5, n_distinct = 7);
create table public."T ""x""" ("A a" text);
alter table public."T ""x""" alter column "A a" set storage external, alter column "A a" set statistics 10;
