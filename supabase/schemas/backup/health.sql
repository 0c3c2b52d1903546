create or replace function backup.examine()
returns table (verdict text, reasons jsonb, facts jsonb, checked_at timestamptz)
language sql
stable
-- service_role may read neither jobs nor Storage's tables itself.
security definer
set search_path = pg_catalog, pg_temp
as $$
    with found as (
        select reason, array_position('{failing,warning,info}', reason ->> 'severity') as rank
        from (
            select backup._check_runs(backup._backup_schedule())
            union all
            select backup._check_jobs()
            union all
            select backup._check_environment()
            union all
            select backup._check_shrinkage()
            union all
            select backup._check_contents()
            union all
            select backup._check_drills()
            union all
            select backup._check_settings()
            union all
            select backup._check_alerts()
            union all
            select backup._check_copies()
            union all
            select backup._check_platform()
        ) all_reasons (reason)
    )
    select
        coalesce((array['failing', 'warning'])[min(rank)], 'ok'),
        jsonb_agg(reason order by rank, reason ->> 'code'),
        (
            select jsonb_build_object(
                'newest_backup', (select b.name from backup._stored_backups() b where b.whole is not false limit 1),
                'backups', (select count(*) from backup._stored_backups() b where b.whole is not false),
                'schedule', backup._backup_schedule(),
                'longest_wait', backup._interval_of(backup._backup_schedule()),
                'bucket', s.bucket,
                'last_drill', (select max(d.started_at) from backup.drills d),
                'platform', backup._platform_facts()
            )
            from backup.settings s
        ),
        now()
    from found;
$$;

comment on function backup.examine is
    'Checks everything and returns the row of backup.health. The verdict is the worst severity among the reasons.';

create or replace view backup.health with (security_invoker = true) as
select verdict, reasons, facts, checked_at from backup.examine();

comment on view backup.health is 'How the backups are: one row.';
comment on column backup.health.verdict is
    'ok, warning (look into it) or failing (there is, or soon will be, no backup to go back to).';
comment on column backup.health.reasons is
    'Why: code, severity, message, hint; the worst first. Those of severity info do not count.';
comment on column backup.health.facts is 'newest_backup, backups, schedule, longest_wait, bucket, last_drill.';
comment on column backup.health.checked_at is 'When it was looked at: now.';
