create table public.t (a json, b jsonb, c xml, d tsvector, e tsquery, f jsonpath);
insert into public.t values ('{"a" : [1, 2.50, null], "a": "\u00e9\n"}', '{"b": 1, "a": {"c": [true, "x\\y\"z"]}, "n": 1e30}', '<a b="c">d &amp; e<!-- x --></a>', '''a'':1A ''it''''s'':2,3B ''c\\d''', '''a'' & !( ''b'':*A | ''c'' ) <-> ''d''', '$.a[*] ? (@ > 5 && @.b like_regex "x" flag "i")'),
    ('null', 'null', 'just text', '', '', 'strict $'), ('"\\N"', '"\\."', '<x/>', 'fat cat', 'fat', '$.*');
