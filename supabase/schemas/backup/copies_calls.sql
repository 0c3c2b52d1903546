-- When copying is called for. A backup counts whatever becomes of its copy: nothing here ends or delays a run, and while one is active nothing is
-- copied. pg_cron's job `backup-copy` looks every minute while something is due, and is gone when nothing is.

-- What is to be done next, most urgent first: `copy` a backup (the newest first), `remove` a copy whose backup rotation has removed (the oldest first),
-- copy Storage's `files` that are new since the backup before, `check` a copy that was not looked up for a day. A whole copy goes only when as many newer ones of its trigger are whole there as rotation keeps here: backups that were lost
-- here, and with the bucket's content all of them may be, keep their copies.
create or replace function backup._copy_tasks()
returns table (run_id bigint, action text)
language sql
stable
set search_path = ''
as $$
    with known as (
        select
            l.id, l.trigger, l.started_at, l.removed_at as backup_removed_at, c.run_id, c.verified_at, c.checked_at, c.removed_at, c.retry_at, c.files_at,
            c.verified_at is not null and c.removed_at is null as whole,
            count(*) filter (where c.verified_at is not null and c.removed_at is null) over (partition by l.trigger order by l.started_at desc, l.id desc)
                as whole_ones
        from backup.log l
        left join backup.copies c on c.run_id = l.id
        where l.status = 'succeeded'
    )
    select k.id, task.action
    from backup.settings s, known k,
        lateral (
            select case
                when k.backup_removed_at is null and not k.whole then 'copy'
                when k.backup_removed_at is not null and k.run_id is not null and k.removed_at is null
                    and k.whole_ones > case when not k.whole then 0 when k.trigger = 'scheduled' then s.keep_scheduled else s.keep_manual end then 'remove'
                when k.whole and k.files_at is null and s.second_copy = 's3_with_files' and k.id = (
                    select n.id from known n where n.backup_removed_at is null order by n.started_at desc limit 1
                ) then 'files'
                when k.whole and k.checked_at < clock_timestamp() - interval '20 hours' then 'check'
            end
        ) task (action)
    where s.second_copy in ('s3', 's3_with_files') and task.action is not null and (k.retry_at is null or k.retry_at <= clock_timestamp())
    order by array_position('{copy,remove,files,check}', task.action), case when task.action = 'remove' then k.started_at end, k.started_at desc;
$$;

revoke all on function backup._copy_tasks from public;
comment on function backup._copy_tasks is 'What is to be copied, removed and checked now.';

-- Who copies at this moment: its session exists, and it was heard of.
create or replace function backup._live_copier()
returns uuid
language sql
volatile
set search_path = ''
as $$
    select c.id
    from backup.copiers c
    join pg_catalog.pg_stat_activity a on a.pid = c.backend_pid and a.backend_start = c.backend_start
    where c.left_at is null and c.lease_until > clock_timestamp()
    limit 1;
$$;

revoke all on function backup._live_copier from public;
comment on function backup._live_copier is 'The invocation that copies now; null when none does.';

-- Calls the function to copy, with a one-time token, unless a call is under way.
create or replace function backup._call_copier()
returns void
language plpgsql
set search_path = ''
as $$
begin
    delete from backup.copy_calls c where c.expires_at < clock_timestamp() - interval '1 hour';
    if exists (
        select
        from backup.copy_calls c
        left join net._http_response r on r.id = c.request_id and r.created > c.created_at - interval '1 minute'
        where greatest(c.created_at, c.used_at) > clock_timestamp() - interval '45 seconds'
            and c.used_at is null
            and (r.id is null or r.status_code between 200 and 299)
    ) then
        return;
    end if;
    -- The function must know before it looks here that this call can wait.
    insert into backup.copy_calls (hash, request_id, expires_at)
    select sent.hash, sent.request_id, sent.expires_at from backup._send('copy-', '{"copy": true}') sent;
end;
$$;

revoke all on function backup._call_copier from public;
comment on function backup._call_copier is 'Calls the function to copy, unless a call is under way.';

-- What does the second copy need now? Called when a run has succeeded, when an invocation that copied has left, and every minute by pg_cron
-- while something is due. It raises nothing: a backup is good without its copy, and backup.health tells what is late.
create or replace function backup.watch_copies()
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtext('backup.copies'));
    -- A transaction sees pg_stat_activity as it was at its first look.
    perform pg_catalog.pg_stat_clear_snapshot();
    if exists (select from backup.log l where l.finished_at is null) or not exists (select from backup._copies_pending()) then
        perform backup._drop_job('backup-copy');
        return;
    end if;
    perform backup._keep_job('backup-copy', '* * * * *', 'select backup.watch_copies()');
    if backup._live_copier() is null and exists (select from backup._copy_tasks()) then
        perform backup._call_copier();
    end if;
exception
    when others then
        raise warning 'the second copy has to wait: %', sqlerrm using hint = 'select * from backup.health tells when it is late.';
end;
$$;

revoke all on function backup.watch_copies from public;
comment on function backup.watch_copies is 'Calls the function where something is to be copied.';

-- Tasks of now and those that a failure has put off, unless that often that only the next run, the daily check or a person tries again.
create or replace function backup._copies_pending()
returns setof bigint
language sql
stable
set search_path = ''
as $$
    select t.run_id from backup._copy_tasks() t
    union
    select c.run_id from backup.copies c where c.retry_at > clock_timestamp() and c.failures < 7;
$$;

revoke all on function backup._copies_pending from public;
comment on function backup._copies_pending is 'Copies for which the watch-dog stays awake.';

-- Copies now what is not copied, however often it failed. Example: select backup.copy();
create or replace function backup.copy()
returns void
language plpgsql
-- service_role asks for copies, but may not write their table, nor own the job.
security definer
set search_path = ''
as $$
begin
    if not exists (select from backup.settings s where s.second_copy in ('s3', 's3_with_files')) then
        raise exception 'there is no second copy configured'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Set the function''s secrets as docs/second-copy.md says, then: select backup.configure(second_copy => ''s3'')';
    end if;
    perform backup._require_function();
    update backup.copies c set retry_at = null, checked_at = '-infinity', files_at = null;
    delete from backup.copied_files f where f.error is not null;
    perform backup.watch_copies();
end;
$$;

revoke all on function backup.copy from public;
grant execute on function backup.copy to service_role;
comment on function backup.copy is 'Copies now what is not copied, and looks at what is.';

-- A run has ended: what failed before is tried again now, and what is due is called for. When its transaction commits, since nothing here may touch the run.
create or replace function backup._copy_after_run()
returns trigger
language plpgsql
-- The trigger fires when the caller of a verb is himself again.
security definer
set search_path = ''
as $$
begin
    update backup.copies c set retry_at = null where c.retry_at is not null;
    perform backup.watch_copies();
    return null;
exception
    when others then
        raise warning 'the second copy of run % has to wait: %', new.id, sqlerrm using hint = 'select backup.copy() tries it again.';
        return null;
end;
$$;

revoke all on function backup._copy_after_run from public;
comment on function backup._copy_after_run is 'Has copied what a run has made.';

drop trigger if exists copy_after_run on backup.log;
create constraint trigger copy_after_run
after insert or update of finished_at on backup.log
deferrable initially deferred
for each row when (new.finished_at is not null)
execute function backup._copy_after_run();
