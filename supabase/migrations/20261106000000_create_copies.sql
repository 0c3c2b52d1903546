-- Second copies, outside the project: files of schemas/backup/ in the order of config.toml.

-- The second copy, outside the project: one row a backup that was, or is being, copied. Which backups are to be copied follows from the log;
-- where to, only the function knows, from its secrets.
create table if not exists backup.copies (
    run_id bigint primary key references backup.log (id) on delete cascade,
    begun_at timestamptz not null default clock_timestamp(),
    verified_at timestamptz,
    checked_at timestamptz,
    objects bigint,
    bytes bigint,
    failures integer not null default 0,
    failed_at timestamptz,
    retry_at timestamptz,
    error jsonb,
    removed_at timestamptz,
    files_at timestamptz,
    files_left bigint,

    constraint failures_range check (failures >= 0),
    -- A copy is whole, with its size, or it is not.
    constraint verified_with_size check (verified_at is null or (objects is not null and bytes is not null)),
    constraint failed_with_reason check ((failed_at is null) = (error is null))
);

-- No policies: should the schema ever be exposed, the API's roles still see nothing.
alter table backup.copies enable row level security;

grant select on backup.copies to service_role;

comment on table backup.copies is 'Second copies of backups, outside the project. select * from backup.copies order by run_id desc';
comment on column backup.copies.run_id is 'The run whose backup it is.';
comment on column backup.copies.begun_at is 'When the first object of it was asked for.';
comment on column backup.copies.verified_at is 'When all its objects were there, with the size and checksum that the manifest has.';
comment on column backup.copies.checked_at is 'When they were last looked up there.';
comment on column backup.copies.objects is 'Objects of the copy, the manifest among them.';
comment on column backup.copies.bytes is 'Bytes of all of them.';
comment on column backup.copies.failures is 'How often in a row something went wrong; 0 after any success.';
comment on column backup.copies.failed_at is 'When something last went wrong; null after any success.';
comment on column backup.copies.retry_at is 'Not before then is it tried again.';
comment on column backup.copies.error is 'What went wrong: code, message, hint.';
comment on column backup.copies.removed_at is 'When it was removed there, after rotation had removed the backup here.';
comment on column backup.copies.files_at is 'When Storage''s files of that time had been copied, too.';
comment on column backup.copies.files_left is 'Files that could not be: larger than 50 MB, or not in Storage.';

-- What has arrived of each copy, so that an invocation goes on where another one ended.
create table if not exists backup.copied (
    run_id bigint not null references backup.copies (run_id) on delete cascade,
    name text not null,
    bytes bigint not null,
    sha256 text not null,
    copied_at timestamptz not null default clock_timestamp(),

    primary key (run_id, name),
    constraint name_form check (name ~ '^[A-Za-z0-9_-][A-Za-z0-9._-]*$'),
    constraint bytes_range check (bytes >= 0),
    constraint sha256_form check (sha256 ~ '^[0-9a-f]{64}$')
);

-- Nobody but the owner; no policies, no grants.
alter table backup.copied enable row level security;

comment on table backup.copied is 'Objects of copies that have arrived.';
comment on column backup.copied.run_id is 'The copy.';
comment on column backup.copied.name is 'Name of the object in the backup''s folder.';
comment on column backup.copied.bytes is 'Its size.';
comment on column backup.copied.sha256 is 'Its SHA-256, with which it was stored there.';
comment on column backup.copied.copied_at is 'When it had arrived.';

-- Invocations that copy. Two never copy at the same time: the one whose session lives has the turn.
create table if not exists backup.copiers (
    id uuid primary key,
    backend_pid integer not null,
    backend_start timestamptz not null,
    entered_at timestamptz not null default clock_timestamp(),
    lease_until timestamptz not null,
    run_id bigint,
    left_at timestamptz
);

-- Nobody but the owner; no policies, no grants.
alter table backup.copiers enable row level security;

comment on table backup.copiers is 'Invocations that copy backups out of the project.';
comment on column backup.copiers.id is 'The invocation''s own choice.';
comment on column backup.copiers.backend_pid is 'Process of its session.';
comment on column backup.copiers.backend_start is 'Start of that process: process numbers come back.';
comment on column backup.copiers.entered_at is 'When it entered.';
comment on column backup.copiers.lease_until is 'Until when it may be silent.';
comment on column backup.copiers.run_id is 'The backup that it is at; null before the first.';
comment on column backup.copiers.left_at is 'When it left; null for one that died.';

-- Calls for copying, each with a token of its own that is good for nothing else. Only the token's hash is kept.
create table if not exists backup.copy_calls (
    hash bytea primary key,
    request_id bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    used_at timestamptz,

    constraint hash_form check (length(hash) = 32)
);

-- Nobody but the owner; no policies, no grants.
alter table backup.copy_calls enable row level security;

comment on table backup.copy_calls is 'Calls of the function for copying, with hashes of their one-time tokens.';
comment on column backup.copy_calls.hash is 'SHA-256 of the token.';
comment on column backup.copy_calls.request_id is 'pg_net''s number of the request.';
comment on column backup.copy_calls.created_at is 'When the call was queued.';
comment on column backup.copy_calls.expires_at is 'From when on the token is refused.';
comment on column backup.copy_calls.used_at is 'When the function showed the token; it is good once.';

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

-- The verbs of an invocation that copies. Each is a statement of its own on its session.

-- Is this token good for copying? It is used up.
create or replace function backup._redeem_copy(token text)
returns boolean
language sql
set search_path = ''
as $$
    with used as (
        update backup.copy_calls c
        set used_at = clock_timestamp()
        where c.hash = sha256(convert_to(token, 'UTF8')) and c.used_at is null and c.expires_at > clock_timestamp()
        returning c.hash
    )
    select exists (select from used);
$$;

revoke all on function backup._redeem_copy from public;
comment on function backup._redeem_copy is 'Is this token good for copying? It is used up.';

-- Takes the turn to copy; the settings that it works with, or null when another has it, or nothing is to be copied.
create or replace function backup._enter_copy(copier uuid)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtext('backup.copies'));
    perform pg_catalog.pg_stat_clear_snapshot();
    if backup._live_copier() is not null then
        return null;
    end if;
    -- One that ended without a word, as one does that used up its CPU or memory: what it was at waits, and is told when that happens again and again.
    update backup.copies c
    set failures = c.failures + 1,
        failed_at = clock_timestamp(),
        retry_at = clock_timestamp() + backup._copy_wait(c.failures),
        error = jsonb_build_object(
            'code', 'worker_died',
            'message', 'the invocation that copied ended without a word',
            'hint', 'See the logs of the function for limits of CPU, memory or time that it reached.'
        )
    from backup.copiers died
    where died.left_at is null and c.run_id = died.run_id;
    delete from backup.copiers;
    if not exists (select from backup._copy_tasks()) then
        return null;
    end if;
    insert into backup.copiers (id, backend_pid, backend_start, lease_until)
    select copier, a.pid, a.backend_start, clock_timestamp() + interval '5 minutes'
    from pg_catalog.pg_stat_activity a
    where a.pid = pg_backend_pid();
    return backup._settings_of_attempt();
end;
$$;

revoke all on function backup._enter_copy from public;
comment on function backup._enter_copy is 'Takes the turn to copy, or null.';

-- Extends the turn; raises BK001 for one that has lost it.
create or replace function backup._require_copier(copier uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.copiers c
    set lease_until = clock_timestamp() + interval '5 minutes'
    where c.id = copier and c.left_at is null;
    if not found then
        raise exception 'copier % has lost its turn', copier
            using errcode = 'BK001', hint = 'Another invocation copies; this one stops.';
    end if;
end;
$$;

revoke all on function backup._require_copier from public;
comment on function backup._require_copier is 'Extends the turn to copy; raises BK001 for one that has lost it.';

-- The next task: {run_id, action, name, bucket, checksum, copied: [{name, bytes, sha256}]}; null when nothing is left, or a run has begun, which
-- goes first.
create or replace function backup._next_copy(copier uuid)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    task record;
begin
    perform backup._require_copier(copier);
    if exists (select from backup.log l where l.finished_at is null) then
        return null;
    end if;
    select t.run_id, t.action into task from backup._copy_tasks() t limit 1;
    if not found then
        return null;
    end if;
    -- One that was removed and is wanted again (its backup is in the log again) begins anew.
    delete from backup.copies c where c.run_id = task.run_id and c.removed_at is not null;
    insert into backup.copies (run_id) values (task.run_id) on conflict on constraint copies_pkey do nothing;
    update backup.copiers c set run_id = task.run_id where c.id = copier;
    return (
        select jsonb_build_object(
            'run_id', l.id,
            'action', task.action,
            'name', l.name,
            'bucket', l.settings ->> 'bucket',
            'checksum', l.checksum,
            'copied', coalesce((
                select jsonb_agg(jsonb_build_object('name', c.name, 'bytes', c.bytes, 'sha256', c.sha256) order by c.name)
                from backup.copied c
                where c.run_id = l.id
            ), '[]')
        )
        from backup.log l
        where l.id = task.run_id
    );
end;
$$;

revoke all on function backup._next_copy from public;
comment on function backup._next_copy is 'The next thing to copy, remove or check.';

-- This object has arrived. May be repeated.
create or replace function backup._copied(copier uuid, run_id bigint, name text, bytes bigint, sha256 text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    insert into backup.copied as c (run_id, name, bytes, sha256)
    values (_copied.run_id, _copied.name, _copied.bytes, _copied.sha256)
    on conflict on constraint copied_pkey do update
    set bytes = excluded.bytes, sha256 = excluded.sha256, copied_at = excluded.copied_at;
end;
$$;

revoke all on function backup._copied from public;
comment on function backup._copied is 'This object has arrived.';

-- All objects that were copied have been looked up there. `missing` are those that are not as they should be: they are copied again.
create or replace function backup._copy_checked(copier uuid, run_id bigint, missing text[])
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    delete from backup.copied c where c.run_id = _copy_checked.run_id and c.name = any (missing);
    update backup.copies c
    set verified_at = case when cardinality(missing) = 0 then coalesce(c.verified_at, clock_timestamp()) end,
        checked_at = clock_timestamp(),
        objects = found.objects,
        bytes = found.bytes,
        failures = 0,
        failed_at = null,
        retry_at = null,
        error = null
    from (
        select count(*) as objects, coalesce(sum(o.bytes), 0) as bytes from backup.copied o where o.run_id = _copy_checked.run_id
    ) found
    where c.run_id = _copy_checked.run_id;
end;
$$;

revoke all on function backup._copy_checked from public;
comment on function backup._copy_checked is 'The objects of a copy were looked up.';

-- The copy is gone there, after its backup went here. The row stays, as the log's does.
create or replace function backup._copy_removed(copier uuid, run_id bigint)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    delete from backup.copied c where c.run_id = _copy_removed.run_id;
    update backup.copies c
    set removed_at = clock_timestamp(), failures = 0, failed_at = null, retry_at = null, error = null
    where c.run_id = _copy_removed.run_id;
end;
$$;

revoke all on function backup._copy_removed from public;
comment on function backup._copy_removed is 'A copy was removed.';

-- How long a copy waits after so many failures and this one.
create or replace function backup._copy_wait(failures integer)
returns interval
language sql
immutable
set search_path = ''
as $$
    select case when failures >= 6 then interval '20 hours' else interval '1 minute' * 2 ^ failures end;
$$;

revoke all on function backup._copy_wait from public;
comment on function backup._copy_wait is 'How long a copy waits after a failure.';

-- Something went wrong with this copy: it is tried again after 1, 2, 4 … minutes, and from the seventh time on once a day. With `final`, because trying again
-- soon would give the same answer, only then.
create or replace function backup._copy_failed(copier uuid, run_id bigint, error jsonb, final boolean)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    update backup.copies c
    set failures = case when final then greatest(7, c.failures + 1) else c.failures + 1 end,
        failed_at = clock_timestamp(),
        retry_at = clock_timestamp() + backup._copy_wait(case when final then 6 else c.failures end),
        error = _copy_failed.error
    where c.run_id = _copy_failed.run_id;
end;
$$;

revoke all on function backup._copy_failed from public;
comment on function backup._copy_failed is 'Something went wrong with a copy: it is tried again later.';

-- The invocation ends; while something is left, the next one is called.
create or replace function backup._leave_copy(copier uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.copiers c set left_at = clock_timestamp() where c.id = copier;
    perform backup.watch_copies();
end;
$$;

revoke all on function backup._leave_copy from public;
comment on function backup._leave_copy is 'An invocation that copied ends.';

-- Storage's files in the second bucket, where second_copy is s3_with_files: once after each backup, those that are new or have changed since.
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

-- Nobody but the owner; no policies, no grants.
alter table backup.copied_files enable row level security;

comment on table backup.copied_files is 'Storage''s files that are in the second bucket, and those that could not be copied.';
comment on column backup.copied_files.bucket is 'Bucket of the file.';
comment on column backup.copied_files.name is 'Its name there.';
comment on column backup.copied_files.version is 'The version that was copied: another one is copied again.';
comment on column backup.copied_files.bytes is 'Its size.';
comment on column backup.copied_files.sha256 is 'SHA-256 with which it was stored there; null for one that could not be copied.';
comment on column backup.copied_files.copied_at is 'When it was copied, or tried.';
comment on column backup.copied_files.gone_at is 'When it was first missing here. It is removed there when no backup that is kept there is as old.';
comment on column backup.copied_files.error is 'Why it could not be copied.';

-- Files of every bucket but the backups' own: what is in Storage now, and the version that tells a changed one.
create or replace function backup._files()
returns table (bucket text, name text, version text, bytes bigint, type text)
language plpgsql
stable
set search_path = ''
as $$
begin
    if to_regclass('storage.objects') is null then
        return;
    end if;
    return query
    select o.bucket_id, o.name, coalesce(o.version, o.metadata ->> 'eTag', o.updated_at::text, ''), (o.metadata ->> 'size')::bigint, o.metadata ->> 'mimetype'
    from storage.objects o
    where o.bucket_id <> (select s.bucket from backup.settings s) and (o.metadata ->> 'size') ~ '^[0-9]{1,18}$';
end;
$$;

revoke all on function backup._files from public;
comment on function backup._files is 'Files that Storage has now.';

-- The next files to copy: [{bucket, name, version, bytes, type}], none when all are; null when a run has begun, which goes first.
-- An invocation holds a file in its memory: larger ones are left out, and health counts them.
create or replace function backup._next_files(copier uuid)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    if exists (select from backup.log l where l.finished_at is null) then
        return null;
    end if;
    return (
        select coalesce(jsonb_agg(to_jsonb(due)), '[]')
        from (
            select f.*
            from backup._files() f
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

revoke all on function backup._next_files from public;
comment on function backup._next_files is 'The next files to copy.';

-- These were copied, or could not be: [{bucket, name, version, bytes, sha256, error}]. May be repeated.
create or replace function backup._files_copied(copier uuid, files jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
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

revoke all on function backup._files_copied from public;
comment on function backup._files_copied is 'These files were copied, or could not be.';

-- The next files to remove there: [{bucket, name}]. They have been gone here since before the oldest backup that is kept there.
create or replace function backup._gone_files(copier uuid)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    update backup.copied_files c
    set gone_at = case when not seen.there then clock_timestamp() end
    from (
        select o.bucket, o.name, f.name is not null as there
        from backup.copied_files o
        left join backup._files() f on f.bucket = o.bucket and f.name = o.name
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

revoke all on function backup._gone_files from public;
comment on function backup._gone_files is 'The next files to remove from the second bucket.';

-- These are gone there as well: [{bucket, name}].
create or replace function backup._files_removed(copier uuid, files jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    delete from backup.copied_files c
    using jsonb_to_recordset(files) f (bucket text, name text)
    where c.bucket = f.bucket and c.name = f.name;
end;
$$;

revoke all on function backup._files_removed from public;
comment on function backup._files_removed is 'These files were removed from the second bucket.';

-- All files of this backup's time have been copied, but for those that could not be.
create or replace function backup._files_done(copier uuid, run_id bigint)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    update backup.copies c
    set files_at = clock_timestamp(),
        files_left = (select count(*) from backup._files() f where f.bytes > 50000000)
            + (select count(*) from backup.copied_files f where f.error is not null and f.gone_at is null),
        failures = 0,
        failed_at = null,
        retry_at = null,
        error = null
    where c.run_id = _files_done.run_id;
end;
$$;

revoke all on function backup._files_done from public;
comment on function backup._files_done is 'The files of a backup''s time have been copied.';
