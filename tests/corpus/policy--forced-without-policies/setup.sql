create table public.forced (a integer);
alter table public.forced enable row level security;
alter table public.forced force row level security;
create table public.only_policies (a integer);
create policy p on public.only_policies using (true);
create table public.force_only (a integer);
alter table public.force_only force row level security;
