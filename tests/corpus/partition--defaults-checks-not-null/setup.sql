create table public.show (a integer default 1, b integer not null check (b > 0), c integer generated always as (b + 1) stored) partition by list (a);
create table public.show_1 partition of public.show (b default 7, constraint more check (b < 100)) for values in (1);
alter table public.show_1 alter column a set not null;
insert into public.show (b) values (3);
