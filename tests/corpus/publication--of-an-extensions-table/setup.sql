-- not restored: the extension was given a table that its script does not make
create extension hstore;
create table public.counts (id integer primary key);
alter extension hstore add table public.counts;
create schema apart;
alter extension hstore add schema apart;
create publication a for table public.counts;
create publication b for tables in schema apart;
