-- How long a schedule leaves at most between two backups.
begin;
select plan(3);

select results_eq(
    $$
        select schedule, backup._longest_wait(schedule)
        from unnest(array[
            '0 3 * * 0', '* * * * *', '*/10 8-17 * * *', '0 3,15 * * *', '0 3 * * 1-5', '0 3 * * MON-fri', '0 3 * * 7',
            '0 0 1,15 * 0', '0 3 * jan sun', '0 3 1 * *', '0 3 1 1 *', '0 0 29 2 *'
        ]) with ordinality s (schedule, n)
        order by n
    $$,
    $$
        values
            ('0 3 * * 0', interval '7 days'), ('* * * * *', interval '1 minute'), ('*/10 8-17 * * *', interval '14:10'),
            ('0 3,15 * * *', interval '12 hours'), ('0 3 * * 1-5', interval '3 days'), ('0 3 * * MON-fri', interval '3 days'),
            ('0 3 * * 7', interval '7 days'),
            -- Two restricted days: either is enough.
            ('0 0 1,15 * 0', interval '7 days'),
            -- From the last Sunday of a January to the first of the next.
            ('0 3 * jan sun', interval '343 days'),
            ('0 3 1 * *', interval '31 days'), ('0 3 1 1 *', interval '366 days'), ('0 0 29 2 *', interval '1461 days')
    $$,
    'the longest wait of a schedule'
);
select is(backup._longest_wait('0 0 30 2 *'), null, 'a day that never comes has none');
select is_empty(
    $$ select from unnest(array['x', '30 seconds', '0 3 * *', null]) s where backup._longest_wait(s) is not null $$, 'nor has what is no schedule'
);

select * from finish();
rollback;
