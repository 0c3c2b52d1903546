-- Is this text a schedule of five fields that does what it says? pg_cron itself is lenient: it takes a sixth
-- field and ignores it, and drops what follows a number (`5/10` runs at minute 5). Such schedules run at other
-- times than their author thinks, so they are refused here. Null is no schedule.
-- Understood: `*`, numbers, names (jan, mon), ranges, lists, steps after `*` or a range; day of week 0 to 7.
create or replace function backup.is_schedule(schedule text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
    lows constant integer[] := '{0,0,1,1,0}';
    highs constant integer[] := '{59,23,31,12,7}';
    months constant text[] := '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}';
    days constant text[] := '{sun,mon,tue,wed,thu,fri,sat}';
    fields text[] := regexp_split_to_array(lower(btrim(schedule, ' ')), ' +');
    low integer;
    high integer;
    names text[];
    item text;
    found text[];
    first integer;
    last integer;
begin
    if array_length(fields, 1) is distinct from 5 then
        return false;
    end if;
    for i in 1 .. 5 loop
        low := lows[i];
        high := highs[i];
        -- Names stand for the numbers from `low` on.
        names := case i when 4 then months when 5 then days else '{}' end;
        -- An empty item matches nothing; the fields themselves are not empty.
        foreach item in array string_to_array(fields[i], ',') loop
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
    end loop;
    return true;
end;
$$;

revoke all on function backup.is_schedule from public;
grant execute on function backup.is_schedule to service_role;
comment on function backup.is_schedule is 'Is this text a cron schedule of five fields? Null is not.';
