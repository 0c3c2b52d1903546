create table public.t (a bytea, b bit(9), c bit varying);
insert into public.t select decode(string_agg(lpad(to_hex(i), 2, '0'), '' order by i), 'hex'), '101010101', '' from generate_series(0, 255) i;
insert into public.t values ('', '000000000', '1'), (null, null, null), ('\x5c2e0a', '111111111', repeat('10', 500)::bit varying);
