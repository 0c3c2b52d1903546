-- Which texts are schedules. Whatever is_schedule() takes, pg_cron has to take too.
begin;
select plan(103);

create temp table good (schedule text);
insert into good values
    ('0 3 * * 0'), ('* * * * *'), ('*/5 * * * *'), ('0-30/10 * * * *'), ('0,15,30,45 * * * *'), ('59 23 31 12 7'),
    ('0 0 1 1 *'), ('0 3 * jan sun'), ('0 3 * JAN-MAR Mon-Fri'), ('0 3 1,15 * *'), ('05 03 * * 0'), ('0 3 * * 1-5'),
    ('0 3 29 2 *'), ('0 3 30,31 1 *'), ('0 3 30 2 mon'), ('0 3 31 2,3 *'), ('0 3 30 2-3 *'), ('0 3 31 */2 *'), ('0 3 31 2-12/2 *'),
    ('0 3 * * mon,wed,fri'), ('*/59 */23 */31 */12 */7'), ('0-59/1,30 * * * *'), (' 0  3 * * 0 ');

select ok(backup.is_schedule(schedule), format('"%s" is a schedule', schedule)) from good;
select lives_ok(format('select cron.schedule(%L, %L)', btrim(schedule), 'select 1'), format('pg_cron takes "%s"', schedule))
from good;

create temp table bad (schedule text);
insert into bad values
    (''), (' '), ('*'), ('* * * *'), ('* * * * * *'), ('@weekly'), ('@reboot'), ('30 seconds'),
    ('60 * * * *'), ('* 24 * * *'), ('* * 0 * *'), ('* * 32 * *'), ('* * * 0 *'), ('* * * 13 *'), ('* * * * 8'), ('-1 * * * *'),
    ('5/10 * * * *'), ('*/0 * * * *'), ('*/60 * * * *'), ('* */24 * * *'), ('30-10 * * * *'), ('* * * * sat-sun'),
    ('1,,2 * * * *'), (',1 * * * *'), ('1, * * * *'), ('1- * * * *'), ('*-5 * * * *'), ('*5 * * * *'), ('1-2-3 * * * *'),
    ('1/2/3 * * * *'), ('jan * * * *'), ('* * * mon *'), ('* * * * jan'), ('* * * janu *'), ('* * * ja *'), ('001 * * * *'),
    ('1.5 * * * *'), ('a b c d e'), ('* * $ * *'), ('* * L * *'), (e'0\t3 * * 0'), (e'0 3 * * 0\n'), (e'0 3 * * 0\n* * * * *'),
    ('0 3 30 2 *'), ('0 3 30,31 feb *'), ('0 3 30-31 02 *'), ('0 3 31 4 *'), ('0 3 31 apr,jun *'), ('0 3 31 2,11 *'), ('0 3 30 2-2 *'),
    ('0 3 30-31/1 feb-feb */2'), ('0 3 31 4-6/2 *'),
    ('0 3 * * 0; select 1'), ('٠ 3 * * 0'), ('０ 3 * * 0');

select ok(not backup.is_schedule(schedule), format('%L is not a schedule', schedule)) from bad;
select ok(not backup.is_schedule(null), 'null is not a schedule');
set local role service_role;
select ok(backup.is_schedule('0 3 * * 0'), 'service_role may ask');
reset role;

select * from finish();
rollback;
