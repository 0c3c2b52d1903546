-- Every day at 6:23, UTC; `select backup.schedule_check('0 7 * * *')` changes it. A job that is there already is somebody's choice.
do $$
begin
    if to_regclass('cron.job') is null then
        raise warning 'backups are not checked daily: pg_cron is not installed' using hint = 'Install it, then: select backup.schedule_check()';
    elsif not exists (select from cron.job where jobname = 'backup-daily') then
        perform backup.schedule_check();
    end if;
end;
$$;
