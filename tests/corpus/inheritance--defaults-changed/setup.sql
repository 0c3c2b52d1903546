create table public.parent (a integer default 1, b integer not null, c integer default 3);
create table public.child () inherits (public.parent);
alter table public.child alter column a drop default;
alter table public.child alter column c set default 4;
alter table public.child alter column b set default 7;
create table public.strict_child (a integer not null) inherits (public.parent);
