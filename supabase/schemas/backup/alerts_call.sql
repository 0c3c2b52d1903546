-- Calls the function when there is something to tell, or when it has not said for a day which channels it has: so a function that is gone is noticed
-- within a day, and not at the next backup. Answers pg_net's number of the request; null when there was nothing to ask, or no way. While something of the
-- last day is untold a job asks every ten minutes; after that the daily check does.
create or replace function backup.alert()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    known boolean := exists (select from backup.channels c where c.reported_at > now() - interval '20 hours');
    untold boolean;
    due boolean;
begin
    perform backup._lock_events();
    select count(*) > 0, coalesce(bool_or(u.due), false) into untold, due from backup._alerts_untold() u;
    if (untold or not known) and exists (select from backup.events e where e.noticed_at > now() - interval '1 day') then
        if to_regclass('cron.job') is not null then
            perform backup._keep_job('backup-alert', '*/10 * * * *', 'select backup.alert()');
        end if;
    else
        perform backup._drop_job('backup-alert');
    end if;
    delete from backup.calls c where c.run_id is null and c.created_at < now() - interval '7 days';
    if known and not due
        or not exists (select from backup.settings s where s.function_url is not null)
        or to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null
    then
        return null;
    end if;
    return backup._call(null);
end;
$$;

revoke all on function backup.alert from public;
comment on function backup.alert is 'Calls the function when there is something to tell; answers pg_net''s request number.';

-- Every run that ends is looked at, however it ends: when its transaction commits, since the run's row comes first in all verbs' order of locks. Nothing that
-- goes wrong here keeps a run from ending. Rows of earlier ends, which a restore or a rebuilt log brings, tell nothing new.
create or replace function backup._run_ended()
returns trigger
language plpgsql
-- The trigger fires when the caller of a verb is himself again.
security definer
set search_path = ''
as $$
begin
    perform backup._notice();
    perform backup.alert();
    return null;
exception
    when others then
        raise warning 'nobody was told of the end of run %: %', new.id, sqlerrm
            using hint = 'The daily check looks again: select backup.check()';
        return null;
end;
$$;

revoke all on function backup._run_ended from public;
comment on function backup._run_ended is 'Notices what the end of a run has changed, and has it told.';

drop trigger if exists run_ended on backup.log;
create constraint trigger run_ended
after insert or update of finished_at on backup.log
deferrable initially deferred
for each row when (new.finished_at >= now())
execute function backup._run_ended();
