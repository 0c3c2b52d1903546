-- Did something vanish from the backups? The newest is compared with the up to four before it, with the median of each figure: one odd backup among them
-- decides nothing, and a loss is told until three backups have it. Small tables come and go; below ten rows (a hundred, where half are gone) nothing is said.
create or replace function backup._look_at_shrinkage()
returns setof jsonb
language plpgsql
stable
set search_path = ''
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
            'If nobody meant to delete so much, keep an older backup now: select backup.pin(name). See docs/operations.md for the way back.'
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
        -- A table that only some of them have is no loss.
        having count(*) = (select count(distinct c.run_id) from backup.table_rows c where c.run_id = any (earlier))
    ) u
    left join backup.table_rows t on t.run_id = newest.id and t.schema = u.schema and t.name = u.name
    where u.rows >= 10 and coalesce(t.rows, 0) = 0 or u.rows >= 100 and t.rows * 2 < u.rows;
    if tables is not null then
        return next backup._reason(
            'tables_shrank', 'warning',
            format('%s tables of %s lost their rows, or half of them: %s', cardinality(tables), newest.name, array_to_string(tables[1:5], ', '))
                || case when cardinality(tables) > 5 then ', …' else '' end,
            'If nobody meant to, keep an older backup now: select backup.pin(name). npm run restore -- --table takes single tables back.'
        );
    end if;
end;
$$;

revoke all on function backup._look_at_shrinkage from public;
comment on function backup._look_at_shrinkage is 'Did rows vanish from the newest backup?';

-- Was a backup ever restored, to see whether it can be? A new project has a month for its first drill.
create or replace function backup._look_at_drills()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    drill backup.drills;
    hint constant text := 'npm run drill restores the newest backup into a scratch database and compares; docs/drill.yml does it by the clock.';
    since timestamptz := (select min(l.started_at) from backup.log l where l.status = 'succeeded');
begin
    select d.* into drill from backup.drills d order by d.started_at desc limit 1;
    if drill.failed > 0 then
        return next backup._reason(
            'drill_failed', 'failing',
            format('the drill of %s on %s found %s failures', drill.name, drill.started_at::date, drill.failed),
            'select checks from backup.drills order by started_at desc limit 1'
        );
    elsif drill.id is null and since is not null then
        return next backup._reason(
            'never_drilled', case when since < now() - interval '30 days' then 'warning' else 'info' end,
            'no backup was ever restored to see whether it can be', hint
        );
    elsif drill.started_at < now() - interval '100 days' then
        return next backup._reason(
            'drill_old', 'warning', format('the last drill was %s days ago', extract(day from now() - drill.started_at)), hint
        );
    end if;
end;
$$;

revoke all on function backup._look_at_drills from public;
comment on function backup._look_at_drills is 'Was a backup ever restored, to see whether it can be?';
