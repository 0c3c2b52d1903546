-- Is this text a schedule of five fields that does what it says? pg_cron itself is lenient: it takes a sixth
-- field and ignores it, and drops what follows a number (`5/10` runs at minute 5). Such schedules run at other
-- times than their author thinks, so they are refused here.
-- Understood: `*`, numbers, names (jan, mon), ranges, lists, steps after `*` or a range; day of week 0 to 7.

-- One field: `low` and `high` are its bounds, `names` stand for the numbers from `low` on.
create function backup._is_schedule_field(field text, low integer, high integer, names text[])
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
    item text;
    found text[];
    first integer;
    last integer;
begin
    foreach item in array string_to_array(lower(field), ',') loop
        found := regexp_match(item, '^(?:\*|([a-z]{3}|[0-9]{1,2})(?:-([a-z]{3}|[0-9]{1,2}))?)(?:/([0-9]{1,2}))?$');
        if found is null then
            return false;
        end if;
        first := case
            when item like '*%' then low
            when found[1] ~ '[0-9]' then found[1]::integer
            else low - 1 + array_position(names, found[1])
        end;
        last := case
            when item like '*%' then high
            when found[2] is null then first
            when found[2] ~ '[0-9]' then found[2]::integer
            else low - 1 + array_position(names, found[2])
        end;
        if first is null or last is null or first < low or last > high or first > last then
            return false;
        end if;
        -- A step needs something to step through, and one beyond the field's end is a mistake.
        if found[3] is not null and (item not like '%-%' and item not like '*%' or found[3]::integer not between 1 and high) then
            return false;
        end if;
    end loop;
    return coalesce(field <> '', false);
end;
$$;

revoke all on function backup._is_schedule_field from public;
comment on function backup._is_schedule_field is 'Is this text one field of a cron schedule?';

create function backup.is_schedule(schedule text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
    fields text[] := regexp_split_to_array(btrim(schedule, ' '), ' +');
begin
    return coalesce(array_length(fields, 1), 0) = 5
        and backup._is_schedule_field(fields[1], 0, 59, '{}')
        and backup._is_schedule_field(fields[2], 0, 23, '{}')
        and backup._is_schedule_field(fields[3], 1, 31, '{}')
        and backup._is_schedule_field(fields[4], 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}')
        and backup._is_schedule_field(fields[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}');
end;
$$;

revoke all on function backup.is_schedule from public;
comment on function backup.is_schedule is 'Is this text a cron schedule of five fields? Null is not.';
