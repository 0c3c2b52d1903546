create table public.t (a smallint, b integer, c bigint, d real, e double precision, f numeric, g money, h numeric(1000));
insert into public.t values
    (-32768, -2147483648, -9223372036854775808, 'NaN', 'NaN', 'NaN', -92233720368547758.08, 0),
    (32767, 2147483647, 9223372036854775807, 'Infinity', '-Infinity', 'Infinity', 92233720368547758.07, repeat('9', 1000)::numeric),
    (0, 0, 0, 1.1754944e-38, 2.2250738585072014e-308, '-Infinity', 0, -1),
    (1, 1, 1, 3.4028235e38, 1.7976931348623157e308, 1e-100, 1, 1), (1, 1, 1, 0.1, 0.1, 1e100, 1, 1),
    (1, 1, 1, -0.0, -0.0, 0.10, 1, 1), (null, null, null, null, null, null, null, null);
