-- What the pgTAP suites share: the schema `tests`, whose verbs stand for the function's workers. Every worker's export
-- session is the suite's own session, which lives; a worker that has died is one whose session is no longer there.
create schema tests;

-- The error that a statement raises, as `SQLSTATE: message (hint)`; null when it raises none.
create function tests.error_of(statement text)
returns text
language plpgsql
as $$
declare
    hint text;
begin
    execute statement;
    return null;
exception when others then
    get stacked diagnostics hint = pg_exception_hint;
    return format('%s: %s (%s)', sqlstate, sqlerrm, hint);
end;
$$;

-- The function has an address, and has reported that no channel for alerts is on: nothing but runs calls it.
create function tests.configure()
returns void
language sql
as $$
    select backup.configure(function_url => 'https://project.example/functions/v1/backup', second_copy => 'none');
    select backup._report_channels('[{"name": "slack", "state": "off", "problem": null}]') where not exists (select from backup.channels);
$$;

-- What happens when a transaction commits happens now.
create function tests.commit()
returns void
language plpgsql
as $$
begin
    set constraints all immediate;
    set constraints all deferred;
end;
$$;

-- A manual run with a plan of `slices` slices of a megabyte, planned by worker 1, who came of its call and holds the
-- snapshot.
create function tests.planned_run(slices integer)
returns bigint
language plpgsql
as $$
declare
    run bigint;
begin
    perform tests.configure();
    run := backup.start();
    perform backup._redeem(tests.token());
    perform tests.enter(run, 1);
    perform backup._store_plan(run, tests.worker(1), tests.plan(slices));
    return run;
end;
$$;

create function tests.worker(number integer)
returns uuid
language sql
immutable
as $$
    select lpad(number::text, 32, '0')::uuid;
$$;

create function tests.enter(run bigint, worker integer)
returns jsonb
language sql
as $$
    select backup._register(run, tests.worker(worker), pg_backend_pid());
$$;

create function tests.role_of(run bigint, worker integer)
returns text
language sql
as $$
    select tests.enter(run, worker) ->> 'role';
$$;

create function tests.sha256(word text)
returns text
language sql
immutable
as $$
    select encode(sha256(convert_to(word, 'UTF8')), 'hex');
$$;

create function tests.plan(slices integer, snapshot text default '00000003-00000001-1')
returns jsonb
language sql
as $$
    select jsonb_build_object(
        'snapshot', snapshot,
        'server_version', '15.18',
        'tables', 3,
        'estimated_bytes', slices * 1000000,
        'warnings', '[]'::jsonb,
        'parts', jsonb_build_array(jsonb_build_object('name', '00000.dump', 'bytes', 5000, 'sha256', tests.sha256('head'))),
        'facts', '{"database": "postgres"}'::jsonb,
        'slices', coalesce(
            (
                select jsonb_agg(jsonb_build_object(
                    'number', n, 'first_part', 1 + 4 * n, 'estimated_bytes', 1000000, 'pieces', jsonb_build_array(n)
                ))
                from generate_series(0, slices - 1) n
            ),
            '[]'
        )
    );
$$;

-- The slice's number, or null when the worker gets none.
create function tests.claim(run bigint, worker integer, bytes bigint default null)
returns integer
language sql
as $$
    select (backup._claim_slice(run, tests.worker(worker), bytes) ->> 'number')::integer;
$$;

create function tests.part_of(slice integer)
returns text
language sql
immutable
as $$
    select lpad((1 + 4 * slice)::text, 5, '0') || '.dump';
$$;

-- Stores the slice's one part and finishes it.
create function tests.finish_slice(run bigint, worker integer, slice integer)
returns boolean
language sql
as $$
    select backup._record_part(run, tests.worker(worker), slice, tests.part_of(slice), 1000, tests.sha256(slice::text));
    select backup._finish_slice(
        run, tests.worker(worker), slice,
        '{"rows": 10, "raw_bytes": 3000, "stored_bytes": 1000, "pieces": []}'
    );
$$;

-- Claims and finishes every slice that is free.
create function tests.export_all(run bigint, worker integer)
returns void
language plpgsql
as $$
declare
    slice integer;
begin
    loop
        slice := tests.claim(run, worker);
        exit when slice is null;
        perform tests.finish_slice(run, worker, slice);
    end loop;
end;
$$;

create function tests.verify_all(run bigint, worker integer)
returns void
language sql
as $$
    select backup._mark_part_verified(run, tests.worker(worker), p.name) from backup.parts p where p.run_id = run;
$$;

create function tests.ending()
returns jsonb
language sql
immutable
as $$
    select jsonb_build_object(
        'rows', 20, 'raw_bytes', 6000, 'stored_bytes', 7000, 'parts', 3, 'checksum', tests.sha256('manifest'),
        'warnings', '[{"code": "odd", "object": "table a", "message": "m"}]'::jsonb
    );
$$;

-- The worker's session ends, as it does when the platform stops the isolate.
create function tests.die(worker integer)
returns void
language sql
as $$
    update backup.workers set backend_start = backend_start - interval '1 microsecond' where id = tests.worker(worker);
$$;

-- The worker is silent for longer than its lease, and its session is still there.
create function tests.fall_silent(worker integer)
returns void
language sql
as $$
    update backup.workers set lease_until = clock_timestamp() - interval '1 second' where id = tests.worker(worker);
$$;

-- All that happened so far was so much longer ago.
create function tests.pass(span interval)
returns void
language sql
as $$
    update backup.calls set created_at = created_at - span, expires_at = expires_at - span, used_at = used_at - span;
    update backup.workers set entered_at = entered_at - span, lease_until = lease_until - span;
    update backup.log set started_at = started_at - span, heartbeat_at = heartbeat_at - span, progressed_at = progressed_at - span
    where finished_at is null;
$$;

-- pg_net has a response to the newest call.
create function tests.answer(status integer, body text, error text default null)
returns void
language sql
as $$
    insert into net._http_response (id, status_code, content, error_msg, timed_out, created)
    select c.request_id, status, body, error, false, clock_timestamp() from backup.calls c order by c.request_id desc nulls last limit 1;
$$;

create function tests.calls(run bigint)
returns bigint
language sql
as $$
    select count(*) from backup.calls c where c.run_id = run;
$$;

-- The token of the newest call, as the function receives it.
create function tests.token()
returns text
language sql
as $$
    select q.headers ->> 'x-backup-token' from net.http_request_queue q order by q.id desc limit 1;
$$;

create function tests.run(id bigint)
returns backup.log
language sql
as $$
    select l from backup.log l where l.id = run.id;
$$;
