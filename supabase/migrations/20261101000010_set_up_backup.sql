-- Generated from the schemas by `npm run migrations`. Do not edit.

-- pg_cron starts backups, pg_net calls the function. Their schemas follow the platform's convention: pg_cron in pg_catalog (its objects in the schema
-- cron), pg_net in extensions (its objects in the schema net). A server that does not offer an extension may have the same functions from elsewhere;
-- without them, starting a backup says what is missing.
do $$
begin
    if exists (select from pg_available_extensions where name = 'pg_cron' and installed_version is null) then
        create extension pg_cron with schema pg_catalog;
    end if;
    if exists (select from pg_available_extensions where name = 'pg_net' and installed_version is null) then
        create schema if not exists extensions;
        create extension pg_net with schema extensions;
    end if;
end;
$$;

-- The one row of settings, with its defaults.
insert into backup.settings default values
on conflict (id) do nothing;

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

-- Sundays at three, UTC; `select backup.schedule('30 2 * * *')` changes it. An existing schedule stays.
do $$
begin
    if not backup._platform_has('cron.job') then
        raise warning 'Cannot schedule backups: pg_cron is not installed'
            using hint = 'Install it, then run: select backup.schedule(''0 3 * * 0'')';
    elsif not exists (select from cron.job where jobname = 'backup-weekly' and username = current_user) then
        perform backup.schedule('0 3 * * 0');
    end if;
end;
$$;

-- Every day at 6:23, UTC; `select backup.schedule_check('0 7 * * *')` changes it. An existing job stays.
do $$
begin
    if not backup._platform_has('cron.job') then
        raise warning 'Cannot schedule the daily check: pg_cron is not installed' using hint = 'Install it, then run: select backup.schedule_check()';
    elsif not exists (select from cron.job where jobname = 'backup-daily' and username = current_user) then
        perform backup.schedule_check();
    end if;
end;
$$;
