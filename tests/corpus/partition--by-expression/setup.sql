create table public.show (at timestamptz, name text) partition by range ((extract(epoch from at at time zone 'UTC')), lower(name) collate "C");
create table public.show_1 partition of public.show for values from (minvalue, minvalue) to (1704067200, 'x');
create table public."Show ""x""" ("Key" text) partition by list ("Key" collate "C" text_pattern_ops);
