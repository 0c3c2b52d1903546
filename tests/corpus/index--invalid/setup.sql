create table public.t (a integer);
insert into public.t values (1), (1);
create index good on public.t (a);
create index broken on public.t (a);
update pg_index set indisvalid = false where indexrelid = 'public.broken'::regclass;
