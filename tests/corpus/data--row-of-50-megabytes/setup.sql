create table public.t (id integer, a text);
insert into public.t values (1, repeat('fifty megabytes\' || chr(10) || 'in one row', 2000000)), (2, 'and a short one');
