create table public.t (a integer);
insert into public.t values (1), (2);
alter table public.t enable row level security;
alter table public.t force row level security;
create policy none on public.t using (false);
