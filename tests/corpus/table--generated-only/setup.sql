create table public.t (a integer generated always as (1) stored, b text generated always as ('x') stored);
insert into public.t default values;
insert into public.t default values;
create table public.u (a integer generated always as identity);
insert into public.u default values;
