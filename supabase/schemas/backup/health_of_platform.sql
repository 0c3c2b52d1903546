create or replace function backup._platform_facts()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'run', l.name,
        'encrypted', (select bool_and((w.facts ->> 'encrypted')::boolean) from backup.workers w where w.run_id = l.id),
        'uploads', coalesce(
            (select 'fetch: ' || max(w.facts ->> 'uploads') from backup.workers w where w.run_id = l.id), 'own client'
        ),
        'calls', (select max(w.facts ->> 'calls') from backup.workers w where w.run_id = l.id),
        'worst_cpu_ms', (select max((w.facts ->> 'cpu_ms')::numeric)::bigint from backup.workers w where w.run_id = l.id),
        'ended_at_a_limit', (
            select count(*)
            from backup.workers w
            where w.run_id = l.id and (
                w.error ->> 'code' = 'worker_ended'
                or w.left_at is null and not exists (select from backup.live_workers live where live.id = w.id)
            )
        ),
        'hides_errors', (
            select bool_or(backup._told_error(c.answer) is null)
            from backup.calls c
            where c.run_id = l.id and c.answer ->> 'status' like '5%'
        )
    )
    from backup.log l
    where exists (select from backup.workers w where w.run_id = l.id and w.facts is not null)
    order by l.id desc
    limit 1;
$$;

comment on function backup._platform_facts is
    'Returns what the last run found out about the platform: {run, encrypted, uploads, calls, worst_cpu_ms, '
    'ended_at_a_limit, hides_errors}, or null. calls says why a worker could not call its successor, null where it '
    'could; worst_cpu_ms is an estimate of an isolate''s life; hides_errors says whether the bodies of 5xx answers were '
    'replaced, null where there were none.';

create or replace function backup._check_platform()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    facts jsonb := backup._platform_facts();
    exposed jsonb;
begin
    select warning into exposed
    from (
        select l.warnings from backup.log l where l.status = 'succeeded'
        order by backup._is_future(l.started_at), l.started_at desc limit 1
    ) newest, jsonb_array_elements(newest.warnings) warning
    where warning ->> 'code' = 'not_encrypted';
    if found then
        return next backup._reason(
            'not_encrypted', 'warning', exposed ->> 'message',
            'Set the function''s secret BACKUP_DB_CA to the certificate of the database''s authority, which the dashboard has in the database settings.'
        );
    end if;
    if facts ->> 'uploads' like 'fetch:%' then
        return next backup._reason(
            'uploads_by_fetch', 'info', format('Parts are uploaded by fetch, which costs more CPU, instead of our own client (%s)', facts ->> 'uploads'),
            'Nothing is wrong with the backups. Please report it, because it was not seen before.'
        );
    end if;
    if facts ->> 'calls' is not null then
        return next backup._reason(
            'calls_by_pg_net', 'info', format('Workers cannot call the function, so pg_net calls their successors, which takes longer (%s)', facts ->> 'calls'),
            'Nothing is wrong with the backups. Please report it, because it was not seen before.'
        );
    end if;
    if (facts ->> 'ended_at_a_limit')::bigint > 0 then
        return next backup._reason(
            'isolates_ended', 'info',
            format('The platform ended %s invocations of run %s at a limit, and others took over', facts ->> 'ended_at_a_limit', facts ->> 'run'),
            'If it happens in each run, lower invocation_bytes with backup.configure().'
        );
    end if;
end;
$$;

comment on function backup._check_platform is 'Checks what the last run found out about the platform.';
