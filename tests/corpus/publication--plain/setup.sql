-- from version: 15
create table public.a (i integer primary key);
create table public.b (i integer, j text, k integer);
create schema other;
create publication nothing;
create publication of_all for all tables with (publish = 'insert, truncate');
create publication of_tables for table public.a, public.b with (publish_via_partition_root = true);
create publication of_schemas for tables in schema public, other;
create publication of_both for table public.a, tables in schema other with (publish = '');
create publication "Pub ""x""" for table public.b (i, k) where (i > 5 and j <> 'it''s');
comment on publication nothing is 'empty';
alter publication of_tables owner to director;
