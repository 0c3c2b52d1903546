create table public.t (a integer, owner text);
alter table public.t enable row level security;
create policy everything on public.t;
create policy reading on public.t for select to actor, "Stage Manager" using (owner = current_user);
create policy adding on public.t as restrictive for insert to public with check (a > 0 and owner <> 'it''s');
create policy changing on public.t for update to "select" using (a > 0) with check (a > 1);
create policy "Policy ""x""" on public.t for delete using (a in (select 1));
comment on policy reading on public.t is 'reads';
comment on policy "Policy ""x""" on public.t is 'hurts';
