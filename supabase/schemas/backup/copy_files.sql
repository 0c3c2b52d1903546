create table if not exists backup.copied_files (
    bucket text not null,
    name text not null,
    version text not null,
    bytes bigint,
    sha256 text,
    copied_at timestamptz not null default clock_timestamp(),
    gone_at timestamptz,
    error text,

    primary key (bucket, name),
    constraint copied_or_not check ((sha256 is null) = (error is not null))
);

alter table backup.copied_files enable row level security;

comment on table backup.copied_files is
    'Files of Storage in the second bucket, where second_copy is s3_with_files, and those that could not be '
    'copied. New and changed files are copied once after each backup.';
comment on column backup.copied_files.bucket is 'Bucket of the file.';
comment on column backup.copied_files.name is 'Its name there.';
comment on column backup.copied_files.version is 'The version that was copied; another version is copied again.';
comment on column backup.copied_files.bytes is 'Its size.';
comment on column backup.copied_files.sha256 is
    'The SHA-256 that it was stored with; null if it could not be copied.';
comment on column backup.copied_files.copied_at is 'When it was copied, or tried.';
comment on column backup.copied_files.gone_at is
    'When it was first missing from Storage. It is removed from the second bucket when no backup there is that '
    'old.';
comment on column backup.copied_files.error is 'Why it could not be copied.';

create or replace function backup._storage_files()
returns table (bucket text, name text, version text, bytes bigint, type text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._platform_has('storage.objects') then
        return;
    end if;
    return query
    select o.bucket_id, o.name, coalesce(o.version, o.metadata ->> 'eTag', o.updated_at::text, ''), (o.metadata ->> 'size')::bigint, o.metadata ->> 'mimetype'
    from storage.objects o
    where o.bucket_id <> (select s.bucket from backup.settings s) and (o.metadata ->> 'size') ~ '^[0-9]{1,18}$';
end;
$$;

comment on function backup._storage_files is
    'Returns the files of every bucket but the backups'' own, with the version that identifies a changed one.';

create or replace function backup._next_files(copier uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    if exists (select from backup.log l where l.finished_at is null) then
        return null;
    end if;
    return (
        select coalesce(jsonb_agg(to_jsonb(due)), '[]')
        from (
            select f.*
            from backup._storage_files() f
            left join backup.copied_files c on c.bucket = f.bucket and c.name = f.name
            where f.bytes <= 50000000
                and (
                    c.version is distinct from f.version
                    -- What could not be copied is tried once after each backup.
                    or c.error is not null and c.copied_at < (select max(l.finished_at) from backup.log l where l.status = 'succeeded')
                )
            order by f.bucket, f.name
            limit 200
        ) due
    );
end;
$$;

comment on function backup._next_files is
    'Returns the next files to copy [{bucket, name, version, bytes, type}]; null when a run is active, which goes'
    ' first. Files above 50 MB, which do not fit into the memory of an invocation, are left out and counted by '
    'health.';

create or replace function backup._record_copied_files(copier uuid, files jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    insert into backup.copied_files as c (bucket, name, version, bytes, sha256, error)
    select f.bucket, f.name, f.version, f.bytes, f.sha256, f.error
    from jsonb_to_recordset(files) f (bucket text, name text, version text, bytes bigint, sha256 text, error text)
    on conflict on constraint copied_files_pkey do update
    set version = excluded.version,
        bytes = excluded.bytes,
        sha256 = excluded.sha256,
        error = excluded.error,
        copied_at = excluded.copied_at,
        gone_at = null;
end;
$$;

comment on function backup._record_copied_files is
    'Records files that were copied, or could not be: [{bucket, name, version, bytes, sha256, error}]. May be '
    'repeated.';

create or replace function backup._next_removed_files(copier uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    update backup.copied_files c
    set gone_at = case when not seen.there then clock_timestamp() end
    from (
        select o.bucket, o.name, f.name is not null as there
        from backup.copied_files o
        left join backup._storage_files() f on f.bucket = o.bucket and f.name = o.name
    ) seen
    where seen.bucket = c.bucket and seen.name = c.name and (c.gone_at is null) <> seen.there;
    return (
        select coalesce(jsonb_agg(to_jsonb(gone)), '[]')
        from (
            select c.bucket, c.name
            from backup.copied_files c
            where c.gone_at < (
                select min(l.started_at)
                from backup.copies k
                join backup.log l on l.id = k.run_id
                where k.verified_at is not null and k.removed_at is null
            )
            order by c.bucket, c.name
            limit 200
        ) gone
    );
end;
$$;

comment on function backup._next_removed_files is
    'Returns the next files to remove from the second bucket [{bucket, name}]: those missing here since before '
    'the oldest backup that is kept there.';

create or replace function backup._record_removed_files(copier uuid, files jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    delete from backup.copied_files c
    using jsonb_to_recordset(files) f (bucket text, name text)
    where c.bucket = f.bucket and c.name = f.name;
end;
$$;

comment on function backup._record_removed_files is
    'Records files [{bucket, name}] that were removed from the second bucket.';

create or replace function backup._mark_files_copied(copier uuid, run_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    update backup.copies c
    set files_at = clock_timestamp(),
        files_left = (select count(*) from backup._storage_files() f where f.bytes > 50000000)
            + (select count(*) from backup.copied_files f where f.error is not null and f.gone_at is null),
        failures = 0,
        failed_at = null,
        retry_at = null,
        error = null
    where c.run_id = _mark_files_copied.run_id;
end;
$$;

comment on function backup._mark_files_copied is
    'Records that all files of a backup''s time were copied, except those that could not be.';
