create table public.show (a integer, b text, c date) partition by list (a);
create table public.show_1 (c date, gone integer, b text default 'x', a integer not null);
alter table public.show_1 drop column gone;
alter table public.show attach partition public.show_1 for values in (1);
insert into public.show values (1, 'b', '2024-01-01');
