-- The values that one field of a cron schedule stands for. The schedule is one that backup.is_schedule() takes.
create or replace function backup._field_values(field text, low integer, high integer, names text[])
returns integer[]
language sql
immutable
set search_path = ''
as $$
    select array_agg(distinct value order by value)
    from string_to_table(field, ',') item,
        regexp_match(item, '^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/([0-9]+))?$') part,
        generate_series(
            case when part[1] = '*' then low else coalesce(low - 1 + array_position(names, part[1]), part[1]::integer) end,
            case
                when part[1] = '*' then high
                else coalesce(low - 1 + array_position(names, coalesce(part[2], part[1])), coalesce(part[2], part[1])::integer)
            end,
            coalesce(part[3]::integer, 1)
        ) value;
$$;

revoke all on function backup._field_values from public;
comment on function backup._field_values is 'The values that one field of a cron schedule stands for.';

-- The longest time that a cron schedule leaves between two of its instants, so that being late can be told from not being due. Null for what is
-- no schedule of five fields, and for one that never comes (February the 30th). Looks at nine years, which hold leap days of two kinds.
create or replace function backup._longest_wait(schedule text)
returns interval
language plpgsql
immutable
set search_path = ''
as $$
declare
    fields text[] := regexp_split_to_array(lower(btrim(schedule, ' ')), ' +');
    times integer[];
    month_days integer[];
    months integer[];
    week_days integer[];
    either boolean;
    within_day integer;
    between_days integer;
begin
    if not backup.is_schedule(schedule) then
        return null;
    end if;
    select array_agg(hour * 60 + minute order by hour, minute) into times
    from unnest(backup._field_values(fields[2], 0, 23, '{}')) hour, unnest(backup._field_values(fields[1], 0, 59, '{}')) minute;
    month_days := backup._field_values(fields[3], 1, 31, '{}');
    months := backup._field_values(fields[4], 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}');
    week_days := backup._field_values(fields[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}');
    -- As in cron: where both fields restrict the day, one of them is enough.
    either := fields[3] not like '*%' and fields[5] not like '*%';
    select coalesce(max(gap), 0) into within_day
    from (select time - lag(time) over (order by time) as gap from unnest(times) time) gaps;
    select max(gap) into between_days
    from (
        select day - lag(day) over (order by day) as gap
        from (select date '2023-06-01' + n as day from generate_series(0, 3300) n) days,
            lateral (
                select
                    extract(day from day)::integer = any (month_days) as by_month,
                    extract(dow from day)::integer = any (week_days) or extract(isodow from day)::integer = any (week_days) as by_week
            ) fits
        where extract(month from day)::integer = any (months)
            and case when either then by_month or by_week else by_month and by_week end
    ) gaps;
    -- No second instant, no wait: greatest() would look past the null.
    if between_days is null then
        return null;
    end if;
    return justify_hours(make_interval(
        mins => greatest(within_day, between_days * 1440 - (times[cardinality(times)] - times[1]))
    ));
end;
$$;

revoke all on function backup._longest_wait from public;
comment on function backup._longest_wait is 'The longest time between two instants of a cron schedule; null when it never comes.';
