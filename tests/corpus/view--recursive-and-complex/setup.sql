-- not restored: a view over VALUES is printed with another space once it was read from text
create table public.t (id integer, parent integer, name text);
create recursive view public.tree (id, depth) as select id, 1 from public.t where parent is null union all select t.id, depth + 1 from public.t join tree on t.parent = tree.id;
create view public.complex as
    with w as materialized (select * from public.t), x as not materialized (select 1 as one)
    select t.id, row_number() over (partition by name order by id rows between 1 preceding and current row exclude ties) as n,
        case when t.id > 1 then 'a' else null end as c, array_agg(t.name) filter (where t.id > 0) over () as f, coalesce(name, '') as co,
        exists (select 1 from w) as e, (select max(id) from w) as m, name ~ 'x' as r, name like '%a' as l, id in (1, 2, 3) as i, t.*::text as whole,
        id between 1 and 2 as b, '2024-01-01'::date + interval '1 day' as d, x.one::bigint as ob
    from public.t left join x on true cross join lateral (select 1 as q) s;
create view public.sets as select id from public.t union select 1 except select 2 intersect select 3;
create view public.grouping as select id, name, count(*), grouping(id) from public.t group by grouping sets ((id), rollup (name, parent), cube (id, parent));
create view public.of_values (a, b) as values (1, 'x'), (2, null);
create view public.of_function as select * from generate_series(1, 3) with ordinality as g (a, b), rows from (unnest(array[1]), unnest(array[2])) as r (c, d);
create view public.sampled as select * from public.t tablesample bernoulli (5) repeatable (1);
create view public.locked as select * from public.t for update of t skip locked;
create view public.named_window as select sum(id) over w from public.t window w as (order by id);
create view public.distinct_on as select distinct on (id) id, name from public.t order by id, name desc nulls last fetch first 2 rows with ties;
