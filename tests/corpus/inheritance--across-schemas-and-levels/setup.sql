-- not restored: columns that a parent got later stand before a child's own once restored
-- until version: 17
create schema z; create schema a;
create table z.parent (id integer, name text default 'z', constraint c check (id > 0) no inherit);
create table a.child (extra text, name text default 'a') inherits (z.parent);
create table public.grandchild (name text default 'g', constraint c check (id > 1)) inherits (a.child, z.parent);
alter table z.parent add column later text default 'l' not null;
alter table a.child alter column later drop not null;
insert into public.grandchild values (5, 'x', 'y', 'z');
create index on z.parent (id);
alter table public.grandchild alter column extra set default 'g';
