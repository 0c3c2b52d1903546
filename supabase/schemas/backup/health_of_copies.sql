-- Is there a second copy, outside the project? That there is none is a warning until somebody decides otherwise: a backup that is lost with its project is half a backup.
create or replace function backup._look_at_copies()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    wanted text := (select s.second_copy from backup.settings s);
    newest record;
    kept record;
begin
    if wanted is null or wanted = 'none' then
        return next backup._reason(
            'one_copy', case when wanted = 'none' then 'info' else 'warning' end,
            'the backups are in the project that they back up, and are lost with it',
            case
                when wanted = 'none' then 'docs/second-copy.md sends each of them to a bucket elsewhere.'
                else 'docs/second-copy.md: a bucket elsewhere takes them too. Who does without says so: select backup.configure(second_copy => ''none'')'
            end
        );
        return;
    end if;
    select l.name, l.finished_at, c.verified_at, c.failures, c.error, c.files_at, c.files_left into newest
    from backup.log l
    left join backup.copies c on c.run_id = l.id
    where l.status = 'succeeded' and l.removed_at is null
    order by backup._is_future(l.started_at), l.started_at desc
    limit 1;
    if newest.verified_at is null and newest.failures >= 3 then
        return next backup._reason(
            'copy_failed', 'warning',
            format('%s has no second copy; what went wrong: %s', newest.name, newest.error ->> 'message'), newest.error ->> 'hint'
        );
    elsif newest.failures >= 3 then
        return next backup._reason(
            'copy_failed', 'warning', format('the second copy of %s is there; what went wrong afterwards: %s', newest.name, newest.error ->> 'message'),
            newest.error ->> 'hint'
        );
    elsif newest.verified_at is null and newest.finished_at < now() - interval '6 hours' then
        return next backup._reason(
            'copy_late', 'warning', format('%s, made %s, has no second copy yet', newest.name, newest.finished_at),
            'select backup.copy() asks for it now; see the logs of the function.'
        );
    end if;
    if newest.files_left > 0 then
        return next backup._reason(
            'files_left', 'info', format('%s of Storage''s files are not in the second copy: larger than 50 MB, or not in Storage', newest.files_left),
            'select * from backup.copied_files where error is not null; the inventory of the backup has all sizes.'
        );
    end if;
    -- The service may keep what it has, by a lock or for want of the right to remove: worth knowing, since it is paid for.
    select count(*) as copies, min(c.error ->> 'message') as message into kept
    from backup.copies c
    join backup.log l on l.id = c.run_id
    where l.removed_at is not null and c.removed_at is null and c.failures >= 3;
    if kept.copies > 0 then
        return next backup._reason(
            'copies_kept', 'info', format('%s copies of backups that rotation has removed could not be removed: %s', kept.copies, kept.message),
            'A lifecycle rule of the bucket can remove them: docs/second-copy.md.'
        );
    end if;
end;
$$;

revoke all on function backup._look_at_copies from public;
comment on function backup._look_at_copies is 'Is there a second copy, outside the project?';
