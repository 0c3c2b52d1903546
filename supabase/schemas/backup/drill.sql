create or replace function backup._require_drill_bytes(drill_bytes bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if drill_bytes < 20000000 then
        raise exception 'Cannot drill in % bytes', drill_bytes
            using errcode = 'invalid_parameter_value', hint = 'Give drill_bytes of at least 20000000 (20 MB): an empty database has 8 MB.';
    end if;
end;
$$;

comment on function backup._require_drill_bytes is 'Raises an error for a scratch database that is too small.';

create or replace function backup.drill(backup text default 'latest', drill_bytes bigint default null)
returns bigint
language plpgsql
-- service_role may ask for a drill, but not write the table.
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._find_backup(backup);
    active bigint := (select min(r.id) from backup.restores r where r.kind = 'drill' and r.finished_at is null);
begin
    perform backup._require_drill_bytes(drill_bytes);
    if active is null then
        active := backup._ask_restore('drill', null, run.name);
        update backup.restores r set state = jsonb_build_object('bytes', drill.drill_bytes) where r.id = active and drill.drill_bytes is not null;
    end if;
    return active;
end;
$$;

comment on function backup.drill is
    'Restores a backup (latest, oldest or by name) into a scratch database of this server, compares everything, drops the '
    'database, and records the result in backup.drills. Returns the number in backup.restores: that of a drill under way, '
    'where there is one. drill_bytes is the most that the scratch database may have; by default a tenth of the database, 100 MB '
    'at least, as far as there is room.';

create or replace function backup.schedule_drill(
    schedule text default '0 5 * * 0', backup text default 'latest', drill_bytes bigint default null
)
returns bigint
language plpgsql
-- The job must belong to the owner of the schema, whichever role calls.
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_drill_bytes(drill_bytes);
    if not backup.is_schedule(schedule) then
        raise exception 'Invalid schedule "%": it is not a cron schedule of five fields, or never fires', schedule
            using errcode = 'invalid_parameter_value',
                hint = 'Give minute, hour, day of month, month and day of week (UTC), such as 0 5 * * 0 for Sundays at five.';
    elsif coalesce(backup, '') not in ('latest', 'oldest') then
        raise exception 'Cannot schedule drills of "%"', backup
            using errcode = 'invalid_parameter_value', hint = 'Choose latest or oldest.';
    elsif exists (select from backup.settings s where s.recipient is not null) then
        raise exception 'Backups are encrypted, so the project cannot drill them'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'On a machine with the key, run: supabase-backup drill --identity KEYFILE. docs/drill.yml does it on a schedule.';
    end if;
    return backup._schedule_job('backup-drill', schedule, format('select backup.drill(%L, %L)', backup, drill_bytes));
end;
$$;

comment on function backup.schedule_drill is
    'Drills the latest or the oldest backup on this cron schedule (UTC) from now on and returns the job''s number. Example: '
    'select backup.schedule_drill(''0 5 * * 0'')';

create or replace function backup.unschedule_drill()
returns boolean
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select backup._unschedule_job('backup-drill');
$$;

comment on function backup.unschedule_drill is 'Stops the scheduled drills; returns false when there were none.';

create or replace function backup._drill_room(wanted bigint)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'bytes', coalesce(
            wanted,
            -- Databases below 500 MB may be of the free plan, which is read-only above.
            case when z.all_of_them < 500000000
                then least(greatest(100000000, z.own / 10), 470000000 - z.all_of_them)
                else greatest(100000000, z.own / 10)
            end
        ),
        'database_bytes', z.all_of_them
    )
    from (
        select pg_database_size(current_database()),
            (select sum(pg_database_size(d.oid))::bigint from pg_database d where has_database_privilege(d.oid, 'connect'))
    ) z (own, all_of_them);
$$;

comment on function backup._drill_room is
    'Returns {bytes, database_bytes}: how large a scratch database may become, and what the server''s databases have now.';

create or replace function backup._record_drill(worker uuid, id bigint, target text, checks jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._finish_restore(worker, id, 'succeeded', null, null);
    insert into backup.drills (name, started_at, finished_at, target, passed, failed, skipped, unchecked, checks)
    select r.backup, r.started_at, clock_timestamp(), _record_drill.target,
        count(*) filter (where c ->> 'outcome' = 'passed'),
        count(*) filter (where c ->> 'outcome' = 'failed'),
        count(*) filter (where c ->> 'outcome' = 'skipped'),
        count(*) filter (where c ->> 'outcome' = 'unchecked'),
        coalesce(jsonb_agg(c) filter (where c ->> 'outcome' <> 'passed'), '[]')
    from backup.restores r, jsonb_array_elements(checks) c
    where r.id = _record_drill.id
    group by r.id;
    perform backup._record_event();
end;
$$;

comment on function backup._record_drill is
    'Ends a drill with what was compared, [{what, outcome, detail}], and records an event where health has changed. Raises '
    'BK002 when it was cancelled.';
