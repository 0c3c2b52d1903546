create table public.t (a integer check (a > 0), b text, constraint "Check ""x""" check (b <> 'it''s' and a < 10));
alter table public.t add constraint later check (a <> 5) not valid;
alter table public.t add constraint here check (a <> 6) no inherit;
alter table public.t add constraint twice check (a <> 7) no inherit not valid;
comment on constraint later on public.t is 'not valid';
comment on constraint "Check ""x""" on public.t is 'hurts';
insert into public.t values (1, 'x');
