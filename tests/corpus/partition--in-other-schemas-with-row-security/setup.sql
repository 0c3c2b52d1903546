create schema parts;
create table public.show (a integer, b text) partition by list (a);
create table parts.show_1 partition of public.show for values in (1);
alter table public.show enable row level security;
alter table parts.show_1 enable row level security;
create policy all_of_it on public.show using (a > 0);
alter table parts.show_1 owner to director;
grant select on parts.show_1 to actor;
