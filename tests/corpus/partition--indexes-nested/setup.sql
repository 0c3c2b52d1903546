create table public.show (id integer, at integer) partition by list (id);
create table public.show_1 partition of public.show for values in (1) partition by list (at);
create table public.show_1_1 partition of public.show_1 for values in (1);
create index on public.show (at);
alter table public.show add constraint u unique (id, at);
alter index public.show_1_1_at_idx set (fillfactor = 60);
