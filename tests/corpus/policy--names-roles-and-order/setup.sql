create table public.b (a integer); create table public."A b" ("C d" integer);
alter table public."A b" enable row level security;
create policy same on public.b; create policy same on public."A b";
create policy "\! echo
hurt" on public."A b" for all to current_user, "select", "odd=name/with,{braces} 100%s" using ("C d" = 5 and exists (select from public.b where b.a = "C d"));
create policy restrictive on public."A b" as restrictive using (current_setting('role', true) = 'it''s \');
comment on policy "\! echo
hurt" on public."A b" is 'x';
create table public.p (a integer) partition by list (a);
create table public.p1 partition of public.p for values in (1);
create policy on_parent on public.p using (true);
create policy on_partition on public.p1 using (false);
