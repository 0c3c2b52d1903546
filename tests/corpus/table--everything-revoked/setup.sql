create table public.t (a integer);
alter table public.t owner to director;
revoke all on public.t from director;
create table public.u (a integer);
revoke all on public.u from postgres;
grant select on public.u to public;
