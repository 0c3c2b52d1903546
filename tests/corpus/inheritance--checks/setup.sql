create table public.parent (a integer constraint positive check (a > 0), b integer constraint only_here check (b > 0) no inherit);
create table public.child (constraint local check (a < 100)) inherits (public.parent);
create table public.joined (a integer, b integer, constraint positive check (a > 0));
alter table public.joined inherit public.parent;
comment on constraint positive on public.parent is 'on the parent';
comment on constraint positive on public.child is 'on the child';
