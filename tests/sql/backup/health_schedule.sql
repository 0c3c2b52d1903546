-- How old the newest backup may be before it is late: as long as its schedule may leave between two, give or take.
begin;
select plan(2);

select results_eq(
    $$
        select schedule, backup._interval_of(schedule)
        from unnest(array[
            '0 3 * * 0', '* * * * *', '*/10 8-17 * * *', '0 3,15 * * *', '0 3 * * 1-5', '0 3 * * MON-fri', '0 3 * * 7', '0 0 1,15 * 0', '0 3 */2 * *',
            '0 3 * jan sun', '0 3 1 * *', '0 3 1 1 *'
        ]) with ordinality s (schedule, n)
        order by n
    $$,
    $$
        values
            ('0 3 * * 0', interval '7 days'), ('* * * * *', interval '1 day'), ('*/10 8-17 * * *', interval '1 day'),
            ('0 3,15 * * *', interval '1 day'), ('0 3 * * 1-5', interval '7 days'), ('0 3 * * MON-fri', interval '7 days'),
            ('0 3 * * 7', interval '7 days'),
            -- Two restricted days: either is enough.
            ('0 0 1,15 * 0', interval '7 days'),
            ('0 3 */2 * *', interval '31 days'),
            ('0 3 * jan sun', interval '366 days'), ('0 3 1 * *', interval '31 days'), ('0 3 1 1 *', interval '366 days')
    $$,
    'the interval of a schedule'
);
select is_empty(
    $$ select from unnest(array['x', '30 seconds', '0 3 * *', '0 0 30 2 *', null]) s where backup._interval_of(s) is not null $$,
    'what never fires has none, nor has what is not a schedule'
);

select * from finish();
rollback;
