create table public.t (id integer, a text, b bytea);
insert into public.t values (1, repeat('a\' || chr(10), 500000), decode(repeat('00ff', 300000), 'hex'));
