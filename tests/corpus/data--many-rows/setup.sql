create table public.t (id integer primary key, a text, b timestamptz default '2024-01-01 00:00+00');
insert into public.t select i, md5(i::text) from generate_series(1, 20000) i;
