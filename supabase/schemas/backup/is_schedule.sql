create or replace function backup.is_schedule(schedule text)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    months constant text := 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
    days constant text := 'sun|mon|tue|wed|thu|fri|sat';
    plain text := lower(btrim(schedule, ' '));
    pattern text;
    field text[];
begin
    -- A field is a list of values, ranges and asterisks; a step follows a range or an asterisk, and is one of the
    -- field's numbers.
    select '^' || string_agg(format('(%s)(,(%1$s))*', format('%1$s|(\*|%1$s-%1$s)(/(?!0?0\M)(%2$s))?', '(' || concat_ws('|', number, name) || ')', number)), ' +') || '$'
    into pattern
    from (
        values
            ('[0-5]?[0-9]', null),
            ('[01]?[0-9]|2[0-3]', null),
            ('0?[1-9]|[12][0-9]|3[01]', null),
            ('0?[1-9]|1[0-2]', months),
            ('0?[0-7]', days)
    ) field (number, name);
    if plain is null or plain !~ pattern then
        return false;
    end if;
    for number in 1 .. 12 loop
        plain := replace(plain, split_part(months, '|', number), number::text);
    end loop;
    for number in 0 .. 6 loop
        plain := replace(plain, split_part(days, '|', number + 1), number::text);
    end loop;
    if exists (select from regexp_matches(plain, '(\d+)-(\d+)', 'g') range where range[1]::integer > range[2]::integer) then
        return false;
    end if;
    -- The 30th of February never comes, and a day of the week that begins with an asterisk does not stand in for it.
    field := regexp_split_to_array(plain, ' +');
    return field[5] not like '*%' or (
        select min(coalesce(substring(item from '^\d+')::integer, 1)) from regexp_split_to_table(field[3], ',') item
    ) <= (
        select max(case when month = 2 then 29 when month in (4, 6, 9, 11) then 30 else 31 end)
        from regexp_split_to_table(field[4], ',') item,
            lateral regexp_match(replace(item, '*', '1-12'), '^(\d+)(?:-(\d+))?(?:/(\d+))?$') part,
            lateral generate_series(part[1]::integer, coalesce(part[2], part[1])::integer, coalesce(part[3], '1')::integer) month
    );
end;
$$;

comment on function backup.is_schedule is
    'Returns whether this text is a cron schedule of five fields that can fire. pg_cron itself ignores a sixth '
    'field and whatever follows a number (5/10 runs at minute 5); such schedules are refused. False for null.';

create or replace function backup._interval_of(schedule text)
returns interval
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when not backup.is_schedule(schedule) then null
        when field[4] <> '*' then interval '366 days'
        -- Of two fields that restrict the day, one is enough.
        when field[5] <> '*' then interval '7 days'
        when field[3] <> '*' then interval '31 days'
        else interval '1 day'
    end
    from regexp_split_to_array(btrim(schedule, ' '), ' +') field;
$$;

comment on function backup._interval_of is
    'Returns the longest time that a cron schedule leaves between two backups, as a day, a week, a month or a '
    'year, so that a late backup can be told from one that is not due; null for anything that is not a schedule.';
