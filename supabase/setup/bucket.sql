-- The bucket of the settings: private, only for archives, manifests and notes for a restore, 500 MB a file. It has no policies, so that row level
-- security refuses everybody but the service role. A bucket of that name which is public or holds anything but backups belongs to somebody
-- else: its files would no longer be served, and its uploads would be refused.
do $$
declare
    bucket text := (select s.bucket from backup.settings s);
    foreign_object text;
begin
    if not backup._platform_has('storage.buckets') then
        raise exception 'Cannot create bucket "%": this database has no Storage', bucket
            using errcode = 'undefined_table', hint = 'Install the backup in a Supabase project.';
    end if;
    select min(o.name) into foreign_object
    from storage.objects o
    where o.bucket_id = bucket and o.name !~ '^backup-[0-9]{8}-[0-9]{6}(-[0-9]+)?/';
    if foreign_object is not null or exists (select from storage.buckets b where b.id = bucket and b.public) then
        raise exception 'Cannot use bucket "%" for backups: %', bucket,
            case when foreign_object is null then 'it is public' else format('it holds "%s", which is not part of a backup', left(foreign_object, 100)) end
            using errcode = 'duplicate_object',
                hint = 'Choose another bucket: select backup.configure(bucket => ''project-backups''). Then apply this migration again, which creates it.';
    end if;
    insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
    values (bucket, bucket, false, 524288000, array['application/octet-stream', 'application/json', 'text/plain', 'text/markdown'])
    on conflict (id) do update
    set file_size_limit = excluded.file_size_limit, allowed_mime_types = excluded.allowed_mime_types;
end;
$$;
