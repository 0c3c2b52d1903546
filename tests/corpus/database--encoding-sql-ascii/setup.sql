-- encoding: SQL_ASCII
create table public.t (a integer, b text);
insert into public.t values (1, E'\xe4\xff'), (2, 'plain'), (3, E'\xc3\xa4');
