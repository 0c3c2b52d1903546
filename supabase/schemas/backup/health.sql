-- Looks at everything and answers one row. The verdict is the worst severity among the reasons.
create or replace function backup.examine()
returns table (verdict text, reasons jsonb, facts jsonb, checked_at timestamptz)
language sql
stable
-- service_role looks through this, and may read neither jobs nor Storage's tables itself.
security definer
set search_path = ''
as $$
    with found as (
        select reason, array_position('{failing,warning,info}', reason ->> 'severity') as rank
        from (
            select backup._look_at_runs(backup._weekly_schedule())
            union all
            select backup._look_at_jobs()
            union all
            select backup._look_at_ways()
            union all
            select backup._look_at_shrinkage()
            union all
            select backup._look_at_drills()
            union all
            select backup._look_at_settings()
            union all
            select backup._look_at_alerts()
            union all
            select backup._look_at_copies()
        ) all_reasons (reason)
    )
    select
        coalesce((array['failing', 'warning'])[min(rank)], 'ok'),
        jsonb_agg(reason order by rank, reason ->> 'code'),
        (
            select jsonb_build_object(
                'newest_backup', (select b.name from backup._stored_backups() b where b.whole is not false limit 1),
                'backups', (select count(*) from backup._stored_backups() b where b.whole is not false),
                'schedule', backup._weekly_schedule(),
                'longest_wait', backup._longest_wait(backup._weekly_schedule()),
                'bucket', s.bucket,
                'last_drill', (select max(d.started_at) from backup.drills d)
            )
            from backup.settings s
        ),
        now()
    from found;
$$;

revoke all on function backup.examine from public;
grant execute on function backup.examine to service_role;
comment on function backup.examine is 'Looks at everything: the row of backup.health.';

-- One row. Example: select verdict, jsonb_pretty(reasons) from backup.health;
create or replace view backup.health with (security_invoker = true) as
select verdict, reasons, facts, checked_at from backup.examine();

grant select on backup.health to service_role;

comment on view backup.health is 'How the backups are: one row.';
comment on column backup.health.verdict is 'ok, warning (look into it) or failing (there is, or soon will be, no backup to go back to).';
comment on column backup.health.reasons is 'Why: code, severity, message, hint; the worst first. Those of severity info do not count.';
comment on column backup.health.facts is 'newest_backup, backups, schedule, longest_wait, bucket, last_drill.';
comment on column backup.health.checked_at is 'When it was looked at: now.';
