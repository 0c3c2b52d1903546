-- from version: 15
create table public."T ""x""" ("A" integer primary key, b text, c jsonb); create table public.t (a integer primary key);
alter table public."T ""x""" replica identity full;
create publication "\! echo
hurt" for table public."T ""x""" ("A", b) where ("A" > 5 and b = 'it''s' or c ? 'x'), public.t;
create publication only_delete for table public.t with (publish = 'delete, update');
create schema "S
x"; create publication of_schema for tables in schema "S
x", public with (publish_via_partition_root);
alter publication only_delete owner to "odd=name/with,{braces} 100%s";
comment on publication of_schema is 'x';
