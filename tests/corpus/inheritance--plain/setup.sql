create table public.parent (a integer not null, b text default 'p' check (b <> ''));
create table public.child (c integer) inherits (public.parent);
create table public.grandchild (d integer) inherits (public.child);
insert into public.parent values (1, 'parent');
insert into public.child values (2, 'child', 3);
insert into public.grandchild values (3, 'grand', 4, 5);
