-- Why an attempt's plan cannot fit into Storage, as an error for the log; null when it can, or when nobody can know. How much smaller than
-- its rows the archive becomes is taken from the newest backup; before there is one, Storage itself has to refuse.
create or replace function backup._no_room(run backup.log, estimated_bytes bigint)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    part_bytes bigint := run.settings ->> 'part_bytes';
    quota bigint := run.settings ->> 'storage_quota_bytes';
    file_limit bigint;
    stored numeric;
    expected numeric;
begin
    if to_regclass('storage.buckets') is null then
        return null;
    end if;
    select b.file_size_limit into file_limit from storage.buckets b where b.id = run.settings ->> 'bucket';
    if file_limit < part_bytes then
        return jsonb_build_object(
            'code', 'too_large',
            'message', format(
                'the bucket "%s" takes objects of %s bytes, parts have up to %s', run.settings ->> 'bucket', file_limit, part_bytes
            ),
            'hint', format('select backup.configure(part_bytes => %s), or raise the limit of the bucket.', file_limit)
        );
    end if;
    select estimated_bytes * l.stored_bytes::numeric / l.raw_bytes into expected
    from backup.log l
    where l.status = 'succeeded' and l.raw_bytes > 0
    order by l.id desc
    limit 1;
    select coalesce(sum((o.metadata ->> 'size')::bigint), 0) into stored from storage.objects o;
    if quota > 0 and stored + expected > quota then
        return jsonb_build_object(
            'code', 'too_large',
            'message', format(
                'the backup needs about %s of Storage, which holds %s of its %s already',
                pg_size_pretty(expected), pg_size_pretty(stored), pg_size_pretty(quota)
            ),
            'hint', 'The old backups stay until the new one is verified. Keep fewer (backup.configure(keep_scheduled => 2), then npm run prune), '
                'remove files, or raise storage_quota_bytes with the project''s plan.'
        );
    end if;
    return null;
end;
$$;

revoke all on function backup._no_room from public;
comment on function backup._no_room is 'Why a plan cannot fit into Storage, or null.';

