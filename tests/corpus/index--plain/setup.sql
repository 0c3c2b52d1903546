-- from version: 15
create table public.t (a integer, b text, c jsonb, d point, e int4range, f tsvector, g inet);
create index on public.t (a);
create unique index t_ab on public.t (a desc nulls last, b collate "C" text_pattern_ops);
create index t_hash on public.t using hash (b);
create index t_gin on public.t using gin (c jsonb_path_ops) with (fastupdate = off);
create index t_gist on public.t using gist (d, e);
create index t_brin on public.t using brin (a) with (pages_per_range = 16);
create index t_spgist on public.t using spgist (g);
create index t_partial on public.t (b) where a > 5 and b <> 'it''s';
create index t_expression on public.t (lower(b), (a + 1) desc);
create index t_include on public.t (a) include (b, d) with (fillfactor = 50, deduplicate_items = off);
create unique index t_nulls on public.t (b) nulls not distinct;
comment on index public.t_gin is 'json';
