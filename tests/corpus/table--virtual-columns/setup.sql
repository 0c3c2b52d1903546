-- from version: 18
-- says:     b integer GENERATED ALWAYS AS ((a * 2)),
-- says:     c integer GENERATED ALWAYS AS ((a + 1)) STORED
create table public.t (a integer, b integer generated always as (a * 2) virtual, c integer generated always as (a + 1) stored);
insert into public.t (a) values (1), (2);
create table public.only_virtual (a integer generated always as (1) virtual);
insert into public.only_virtual default values;
