SET local check_function_bodies = off;

ALTER TABLE "backup"."log"
  ADD COLUMN IF NOT EXISTS "cpu_ms" bigint;

CREATE OR REPLACE FUNCTION backup._end_restore (
  id     bigint,
  status text,
  error  jsonb
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    ended backup.restores;
begin
    select r.* into ended from backup.restores r where r.id = _end_restore.id for update;
    update backup.restores r
    set status = _end_restore.status,
        finished_at = clock_timestamp(),
        progressed_at = clock_timestamp(),
        progress = null,
        state = null,
        retry_at = null,
        error_code = error ->> 'code',
        error_message = error ->> 'message',
        error_hint = error ->> 'hint'
    where r.id = _end_restore.id;
    if status <> 'succeeded' and ended.into_schema is not null then
        perform backup._remove_copies(ended);
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._remove_copies (
  restore backup.restores
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET lock_timeout TO '5s'
  AS $function$
declare
    place text;
begin
    for place in
        select format('%I.%I', restore.into_schema, t.place ->> 1)
        from jsonb_array_elements(restore.state -> 'tables') with ordinality t (place, number)
        where t.number <= (restore.state ->> 'table')::integer
                + ((restore.state ->> 'entry')::integer > 0 or jsonb_typeof(restore.state -> 'done') = 'object')::integer
            -- One that could not be restored may be an earlier restore's.
            and not exists (
                select
                from jsonb_array_elements(restore.exceptions) e
                where e ->> 'entry' = format('TABLE %s.%s', t.place ->> 0, t.place ->> 1)
            )
    loop
        begin
            execute format('drop table if exists %s', place);
        exception
            -- Somebody uses it: that must not keep the restore from ending.
            when others then
                raise warning 'Cannot drop the copy %: %', place, sqlerrm;
        end;
    end loop;
    perform backup._drop_side_schema(restore.into_schema);
end;
$function$;

CREATE OR REPLACE FUNCTION backup._report_facts (
  run_id bigint,
  worker uuid,
  facts  jsonb
)
  RETURNS void
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    update backup.workers w
    set facts = coalesce(w.facts, '{}') || _report_facts.facts
    where w.id = worker and w.run_id = _report_facts.run_id;
    update backup.log l
    set cpu_ms = (select sum((w.facts ->> 'own_cpu_ms')::bigint) from backup.workers w where w.run_id = l.id)
    where l.id = _report_facts.run_id;
$function$;

COMMENT ON COLUMN "backup"."log"."cpu_ms" IS 'CPU that its invocations have used, as they estimated it; null where none did.';

COMMENT ON COLUMN "backup"."workers"."facts" IS 'What it found out about the platform: encrypted (its connection to the database), uploads (why fetch uploads instead of our own client, or null), cpu_ms (an estimate of what its isolate has used), own_cpu_ms (what of it this worker has used).';

COMMENT ON FUNCTION "backup"."_end_restore"(bigint, text, jsonb) IS 'Ends a restore as succeeded, failed (with {code, message, hint}) or cancelled. Unless it succeeded, nothing that it made stays.';

COMMENT ON FUNCTION "backup"."_remove_copies"(backup.restores) IS 'Drops the copies that a restore has made so far, and their schema where it is empty then.';

COMMENT ON FUNCTION "backup"."_report_facts"(bigint, uuid, jsonb) IS 'Records what a worker found out about the platform: {encrypted, uploads, cpu_ms, own_cpu_ms}. May be repeated; later values win.';

REVOKE ALL ON FUNCTION "backup"."_remove_copies"(backup.restores) FROM PUBLIC;

comment on column backup.live_workers.id is 'The worker.';
comment on column backup.live_workers.purpose is 'run, copy, alert or restore.';
comment on column backup.live_workers.run_id is 'The run, or the backup that is being copied.';
comment on column backup.live_workers.role is 'In a run: plan, export or finish.';
comment on column backup.live_workers.snapshot is 'The snapshot that can be imported from it.';
comment on column backup.live_workers.held_at is 'When it began to hold the snapshot.';
comment on column backup.live_workers.progress is 'Its present work.';
comment on column backup.live_workers.working is 'False for one that waits to leave or whose lease expired.';
