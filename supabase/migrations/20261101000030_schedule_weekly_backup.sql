-- The one row of settings, with its defaults.
insert into backup.settings default values
on conflict (id) do nothing;

-- Sundays at three, UTC; `select backup.schedule('30 2 * * *')` changes it. A schedule that is there already is somebody's choice.
do $$
begin
    if to_regclass('cron.job') is null then
        raise warning 'backups are not scheduled: pg_cron is not installed'
            using hint = 'Install it, then: select backup.schedule(''0 3 * * 0'')';
    elsif not exists (select from cron.job where jobname = 'backup-weekly') then
        perform backup.schedule('0 3 * * 0');
    end if;
end;
$$;
