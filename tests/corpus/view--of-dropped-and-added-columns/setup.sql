create table public.t (a integer, b integer);
create view public.v as select t.* from public.t join public.t as u using (a, b);
alter table public.t add column c integer;
alter table public.t rename column a to "New";
