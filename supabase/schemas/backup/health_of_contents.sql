create or replace function backup._check_shrinkage()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    newest backup.log;
    earlier bigint[];
    usual record;
    tables text[];
begin
    select l.* into newest from backup.log l where l.status = 'succeeded' order by backup._is_future(l.started_at), l.started_at desc limit 1;
    earlier := array(
        select l.id
        from backup.log l
        where l.status = 'succeeded' and l.id <> newest.id
        order by backup._is_future(l.started_at), l.started_at desc
        limit 4
    );
    select
        percentile_disc(0.5) within group (order by l.rows) as rows,
        percentile_disc(0.5) within group (order by l.raw_bytes) as raw_bytes
    into usual
    from backup.log l
    where l.id = any (earlier);
    if usual.rows >= 100 and newest.rows * 2 < usual.rows or usual.raw_bytes >= 1000000 and newest.raw_bytes * 2 < usual.raw_bytes then
        return next backup._reason(
            'shrank', 'warning',
            format(
                '%s has %s rows (%s bytes); the %s before it had %s (%s bytes)',
                newest.name, newest.rows, newest.raw_bytes, cardinality(earlier), usual.rows, usual.raw_bytes
            ),
            'If this was not intended, keep an older backup now: select backup.pin(name). See docs/operations.md for how to restore.'
        );
    end if;
    if not exists (select from backup.table_rows t where t.run_id = newest.id) then
        return;
    end if;
    select array_agg(format('%I.%I (%s of %s rows)', u.schema, u.name, coalesce(t.rows, 0), u.rows) order by u.rows desc)
    into tables
    from (
        select o.schema, o.name, percentile_disc(0.5) within group (order by o.rows) as rows
        from backup.table_rows o
        where o.run_id = any (earlier)
        group by 1, 2
        -- A table that only some of them have is not a loss.
        having count(*) = (select count(distinct c.run_id) from backup.table_rows c where c.run_id = any (earlier))
    ) u
    left join backup.table_rows t on t.run_id = newest.id and t.schema = u.schema and t.name = u.name
    where (u.rows >= 10 and coalesce(t.rows, 0) = 0 or u.rows >= 100 and t.rows * 2 < u.rows)
        and not exists (select from backup.settings s where format('%s.%s', u.schema, u.name) = any (s.leave_out));
    if tables is not null then
        return next backup._reason(
            'tables_shrank', 'warning',
            format('%s tables in %s lost all or half of their rows: %s', cardinality(tables), newest.name, array_to_string(tables[1:5], ', '))
                || case when cardinality(tables) > 5 then ', …' else '' end,
            'If this was not intended, keep an older backup now: select backup.pin(name). supabase-backup restore --table restores single tables.'
        );
    end if;
end;
$$;

comment on function backup._check_shrinkage is
    'Checks whether rows vanished from the newest backup. It is compared with the median of up to four before it:'
    ' one odd backup decides nothing, and a loss is reported until three backups have it. Tables below ten rows '
    '(a hundred, where half are gone) are ignored.';

create or replace function backup._check_drills()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    drill backup.drills;
    ended backup.restores;
    hint constant text := 'Run: select backup.schedule_drill(), which restores the newest backup into a scratch database every Sunday at five. Outside the project: supabase-backup drill, or docs/drill.yml.';
    since timestamptz := (select min(l.started_at) from backup.log l where l.status = 'succeeded');
begin
    select d.* into drill from backup.drills d order by d.started_at desc limit 1;
    if drill.failed > 0 then
        return next backup._reason(
            'drill_failed', 'failing',
            format('The drill of %s on %s found %s failures', drill.name, drill.started_at::date, drill.failed),
            'See: select checks from backup.drills order by started_at desc limit 1'
        );
    elsif drill.id is null and since is not null then
        return next backup._reason(
            'never_drilled', case when since < now() - interval '30 days' then 'warning' else 'info' end,
            'No backup has ever been restored in a drill', hint
        );
    elsif drill.started_at < now() - interval '35 days' then
        return next backup._reason(
            'drill_old', 'warning', format('The last drill was %s days ago', extract(day from now() - drill.started_at)), hint
        );
    end if;
    select r.* into ended from backup.restores r where r.kind = 'drill' and r.finished_at is not null order by r.id desc limit 1;
    if ended.status = 'failed' and ended.finished_at > coalesce(drill.finished_at, '-infinity') then
        return next backup._reason(
            'drill_ended_early', 'warning',
            format('The last drill of the project could not be completed: %s', ended.error_message), ended.error_hint
        );
    end if;
end;
$$;

comment on function backup._check_drills is
    'Checks that a backup was ever restored to see whether it can be. A new project has a month for its first '
    'drill.';

create or replace function backup._check_contents()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    tables text := (select array_to_string(s.leave_out, ', ') from backup.settings s);
    newest backup.log;
    objects text[];
begin
    if tables <> '' then
        return next backup._reason(
            'rows_left_out', 'info', format('Rows of these tables are not backed up: %s', tables),
            'To back them up, run: select backup.configure(leave_out => ''{}'')'
        );
    end if;
    select l.* into newest from backup.log l where l.status = 'succeeded' order by backup._is_future(l.started_at), l.started_at desc limit 1;
    objects := array(
        select w ->> 'object' from jsonb_array_elements(newest.warnings) w where w ->> 'code' = 'may_not_restore' order by 1
    );
    if cardinality(objects) > 0 then
        return next backup._reason(
            'may_not_restore', 'info',
            format('%s objects in %s may not restore as they are: %s', cardinality(objects), newest.name, array_to_string(objects[1:5], ', '))
                || case when cardinality(objects) > 5 then ', …' else '' end,
            format('See why: select warnings from backup.log where name = %L. A drill shows what a restore makes of them.', newest.name)
        );
    end if;
end;
$$;

comment on function backup._check_contents is
    'Checks for rows that are left out on purpose, and for objects of the newest backup that a server may refuse.';
