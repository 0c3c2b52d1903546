create or replace function backup._copy_tasks()
returns table (run_id bigint, action text)
language sql
stable
set search_path = pg_catalog, pg_temp
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

comment on function backup._copy_tasks is
    'Returns what is to be done for the second copy, most urgent first: copy a backup (newest first), remove a '
    'copy whose backup rotation has removed (oldest first), copy new files of Storage, check a copy that was not '
    'checked for a day. A whole copy is removed only when as many newer ones of its trigger are whole as rotation'
    ' keeps here: copies of backups that were lost here stay.';

create or replace function backup._copies_pending()
returns setof bigint
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select t.run_id from backup._copy_tasks() t
    union
    select c.run_id from backup.copies c where c.retry_at > clock_timestamp() and c.failures < 7;
$$;

comment on function backup._copies_pending is
    'Returns the copies for which backup.watch() keeps looking: those due now, and those that wait after a '
    'failure, up to the seventh in a row.';

create or replace function backup.copy()
returns void
language plpgsql
-- service_role may ask for copies, but neither write their table nor own the job.
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from backup.settings s where s.second_copy in ('s3', 's3_with_files')) then
        raise exception 'No second copy is configured'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Set the function''s secrets as in docs/second-copy.md, then run: select backup.configure(second_copy => ''s3'')';
    end if;
    perform backup._require_function();
    update backup.copies c set retry_at = null, checked_at = '-infinity', files_at = null;
    delete from backup.copied_files f where f.error is not null;
    perform backup.watch();
end;
$$;

comment on function backup.copy is
    'Copies now what is not copied, however often it failed, and checks the copies that exist.';
