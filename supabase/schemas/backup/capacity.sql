create or replace function backup._public_bucket(bucket text)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._platform_has('storage.buckets') or not exists (select from storage.buckets b where b.id = bucket and b.public) then
        return null;
    end if;
    return jsonb_build_object(
        'code', 'bucket_public',
        'message', format('Cannot write backups into bucket "%s": it is public, so anybody who guesses a name downloads the whole database', bucket),
        'hint', format('Make it private: update storage.buckets set public = false where id = %L. If a backup was in it, change the secrets that the database holds.', bucket)
    );
end;
$$;

comment on function backup._public_bucket is
    'Returns the error of a bucket that is public; null when it is private, or when there is no Storage.';

create or replace function backup._capacity_error(run backup.log, estimated_bytes bigint)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    part_bytes bigint := run.settings ->> 'part_bytes';
    quota bigint := run.settings ->> 'storage_quota_bytes';
    file_limit bigint;
    stored numeric;
    expected numeric;
begin
    if not backup._platform_has('storage.buckets') then
        return null;
    end if;
    select b.file_size_limit into file_limit from storage.buckets b where b.id = run.settings ->> 'bucket';
    if file_limit < part_bytes then
        return jsonb_build_object(
            'code', 'too_large',
            'message', format(
                'Cannot store parts of up to %s bytes in bucket "%s": its limit is %s bytes', part_bytes, run.settings ->> 'bucket', file_limit
            ),
            'hint', format('Run: update storage.buckets set file_size_limit = 524288000 where id = %L', run.settings ->> 'bucket')
        );
    end if;
    select estimated_bytes * l.stored_bytes::numeric / l.raw_bytes into expected
    from backup.log l
    where l.status = 'succeeded' and l.raw_bytes > 0
    order by l.id desc
    limit 1;
    -- A row of Storage may have anything as its size.
    select coalesce(sum((o.metadata ->> 'size')::bigint), 0) into stored from storage.objects o where o.metadata ->> 'size' ~ '^[0-9]{1,18}$';
    if quota > 0 and stored + expected > quota then
        return jsonb_build_object(
            'code', 'too_large',
            'message', format(
                'Cannot store the backup: it needs about %s, and Storage already holds %s of its %s',
                pg_size_pretty(expected), pg_size_pretty(stored), pg_size_pretty(quota)
            ),
            'hint', 'Old backups stay until the new one is verified. Keep fewer with backup.configure(keep_scheduled => 2) and supabase-backup prune, '
                'remove files, or raise storage_quota_bytes with the project''s plan.'
        );
    end if;
    return null;
end;
$$;

comment on function backup._capacity_error is
    'Returns why a plan cannot fit into Storage, or null. The size of the archive is estimated from the newest '
    'backup; before there is one, Storage itself refuses.';
