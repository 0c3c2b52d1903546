create type public.pair as (a integer, b text);
create domain public.positive as integer check (value > 0);
create type public.deep as (p public.pair, ps public.pair[], d public.positive);
create table public.t (a integer[], b text[], c integer[][], d public.pair, e public.pair[], f public.deep, g public.positive[], h box[], i "char"[], j bytea[]);
insert into public.t values ('{}', '{}', '{}', row(null, null), '{}', null, '{}', '{}', '{}', '{}'),
    ('{1,NULL,3}', array['', null, 'NULL', '\', '"', ',', '{}', E'a\nb', ' '], '{{1,2},{3,4}}', row(1, 'it''s "so" \ , ()'), array[row(1, ''), null]::public.pair[], row(row(1, null), array[row(2, '"')]::public.pair[], 5), '{1,2}', '{(1,1),(0,0);(2,2),(1,1)}', '{a,b}', array['\x00', '\x5c']::bytea[]),
    ('[-2:0]={1,2,3}', null, null, null, null, null, null, null, null, null);
