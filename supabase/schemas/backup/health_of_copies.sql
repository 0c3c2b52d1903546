create or replace function backup._check_copies()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    wanted text := (select s.second_copy from backup.settings s);
    newest record;
    kept record;
begin
    if wanted is null or wanted = 'none' then
        return next backup._reason(
            'one_copy', case when wanted = 'none' then 'info' else 'warning' end,
            'The backups are stored only in the project that they back up, and are lost with it',
            case
                when wanted = 'none' then 'To send each backup to a bucket elsewhere, see docs/second-copy.md.'
                else 'To send each backup to a bucket elsewhere, see docs/second-copy.md. To opt out: select backup.configure(second_copy => ''none'')'
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
            format('%s has no second copy: %s', newest.name, newest.error ->> 'message'), newest.error ->> 'hint'
        );
    elsif newest.failures >= 3 then
        return next backup._reason(
            'copy_failed', 'warning', format('The second copy of %s exists, but a later step failed: %s', newest.name, newest.error ->> 'message'),
            newest.error ->> 'hint'
        );
    elsif newest.verified_at is null and newest.finished_at < now() - interval '6 hours' then
        return next backup._reason(
            'copy_late', 'warning', format('%s, made %s, has no second copy yet', newest.name, newest.finished_at),
            'Run: select backup.copy(). Check the logs of the function.'
        );
    end if;
    if newest.files_left > 0 then
        return next backup._reason(
            'files_left', 'info', format('%s of Storage''s files are not in the second copy: they are larger than 50 MB or missing from Storage', newest.files_left),
            'See: select * from backup.copied_files where error is not null. The inventory of the backup has all sizes.'
        );
    end if;
    -- The service may keep objects, because of a lock or a missing privilege: worth knowing, since they are paid for.
    select count(*) as copies, min(c.error ->> 'message') as message into kept
    from backup.copies c
    join backup.log l on l.id = c.run_id
    where l.removed_at is not null and c.removed_at is null and c.failures >= 3;
    if kept.copies > 0 then
        return next backup._reason(
            'copies_kept', 'info', format('%s copies of removed backups could not be removed: %s', kept.copies, kept.message),
            'A lifecycle rule of the bucket can remove them; see docs/second-copy.md.'
        );
    end if;
end;
$$;

comment on function backup._check_copies is
    'Checks that there is a second copy outside the project. Having none is a warning until second_copy is set to'
    ' none.';
