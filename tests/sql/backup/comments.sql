-- What a person sees in a client: every object says what it is.
begin;
select plan(3);

select is_empty(
    $$
        select c.relname from pg_class c
        where c.relnamespace = 'backup'::regnamespace and c.relkind in ('r', 'v') and obj_description(c.oid, 'pg_class') is null
    $$,
    'every table and view'
);
select is_empty(
    $$
        select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'backup'::regnamespace and c.relkind in ('r', 'v') and col_description(c.oid, a.attnum) is null
    $$,
    'every column'
);
select is_empty(
    $$ select p.proname from pg_proc p where p.pronamespace = 'backup'::regnamespace and obj_description(p.oid, 'pg_proc') is null $$,
    'every function'
);

select * from finish();
rollback;
