create table public.t (id integer, a text, b character(5), c character varying, d "char", e name);
insert into public.t values (1, '', '', '', '', ''), (2, null, null, null, null, null), (3, '\N', '\N', '\N', '\', '\N'), (4, '\.', '\.', '\.', 'x', '\.'),
    (5, E'tab\tnew\nline\rreturn\\back\b\f\v', E'a\tb', E'\\', E'\t', 'n'), (6, 'üñí字🎭', 'ü', '🎭', 'x', 'ü'), (7, ' spaces ', ' a ', '  ', ' ', ' '),
    (8, E'\u0001\u001f\u007f\u0085\u2028\ufeff', 'x', E'\\N', 'x', 'x'), (9, E'\\.\n\\.', 'x', E'a\\.b', 'x', 'x'), (10, repeat('x', 100000), 'x', 'x', 'x', 'x'),
    (11, '$$ ''quoted'' "double" -- comment /* c */ ;', 'x', '\copy', 'x', '\!'), (12, E'\r\n', 'x', E'\n', E'\r', 'x');
