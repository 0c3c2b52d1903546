-- Sundays at three, UTC; `select backup.schedule('30 2 * * *')` changes it. An existing schedule stays.
do $$
begin
    if not backup._platform_has('cron.job') then
        raise warning 'Cannot schedule backups: pg_cron is not installed'
            using hint = 'Install it, then run: select backup.schedule(''0 3 * * 0'')';
    elsif not exists (select from cron.job where jobname = 'backup-weekly' and username = current_user) then
        perform backup.schedule('0 3 * * 0');
    end if;
end;
$$;

-- Every day at 6:23, UTC; `select backup.schedule_check('0 7 * * *')` changes it. An existing job stays.
do $$
begin
    if not backup._platform_has('cron.job') then
        raise warning 'Cannot schedule the daily check: pg_cron is not installed' using hint = 'Install it, then run: select backup.schedule_check()';
    elsif not exists (select from cron.job where jobname = 'backup-daily' and username = current_user) then
        perform backup.schedule_check();
    end if;
end;
$$;
