create table public.t (a integer, b integer generated always as (a * 2) stored, c text generated always as ('x' || 'y') stored not null, d integer generated always as (a + 1) stored);
insert into public.t (a) values (1), (2);
alter table public.t alter column d drop expression;
