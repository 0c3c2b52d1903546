-- from version: 15
create schema i; create collation i.c (locale = 'C'); create function i.f(text) returns text language sql immutable return lower($1);
create table i.t (a text, b text, c integer[], d jsonb, e text collate i.c);
create index on i.t (i.f(a) collate i.c text_pattern_ops desc nulls last, (b || '''s')) where i.f(b) <> '' and c @> array[1];
create index on i.t using gin (c, d jsonb_ops); create index on i.t (e);
create index on i.t ((d ->> 'x'), ((d -> 'y')::text)); create index on i.t (a varchar_pattern_ops, b bpchar_pattern_ops);
create unique index on i.t (coalesce(a, ''), (c[1])) nulls not distinct;
create index on i.t using brin (a text_bloom_ops(false_positive_rate = 0.05, n_distinct_per_range = 100)) with (autosummarize = on, pages_per_range = 8);
