create table public.t (a int4multirange, b nummultirange default '{[1,2]}', c tstzrange);
insert into public.t values ('{[1,3),[5,)}', default, '[2024-01-01 00:00+00,infinity)');
