-- Workers that do what they want, in any order, and die, fall silent and come back: whatever they do, a run ends, no
-- worker is offered another attempt's snapshot, the last holder stays, and a success is made of one attempt's verified
-- parts.
begin;
select plan(4);

-- What the workers believe; the database's own view of them is what is tested.
create temp table actors (id integer primary key, run bigint, attempt integer, state text, slice integer);
-- Storage: each attempt has its own folder.
create temp table objects (attempt integer, name text, sha256 text, primary key (attempt, name));
-- What finishers read back, and whose manifest lies in the folder.
create temp table read_back (attempt integer, name text);
create temp table manifests (attempt integer primary key, writer integer);
-- The parts that a finisher was told of.
create temp table told (id integer, name text);
create temp table counts (what text);

create function pg_temp.expect(fact boolean, message text) returns void language plpgsql as $$
begin
    if fact is not true then
        raise exception 'violated: %', message using errcode = 'ZZ001';
    end if;
end;
$$;

create function pg_temp.store(a actors, name text) returns text language plpgsql as $$
declare
    bytes text := tests.sha256(format('%s %s', a.attempt, name));
begin
    insert into objects values (a.attempt, name, bytes) on conflict do nothing;
    return bytes;
end;
$$;

create function pg_temp.enter(run bigint, id integer) returns void language plpgsql as $$
declare
    place jsonb := tests.enter(run, id);
    attempt integer := place -> 'run' ->> 'attempt';
begin
    perform pg_temp.expect(
        not exists (select from jsonb_array_elements_text(place -> 'snapshots') s where s not like format('attempt-%s-%%', attempt)),
        format('attempt %s is offered %s', attempt, place -> 'snapshots')
    );
    if place ->> 'role' <> 'none' then
        -- A worker that cannot import a snapshot because no holder is left says so.
        insert into actors values (id, run, attempt, case when place ->> 'role' = 'export' and place -> 'snapshots' = '[]' then 'lost' else place ->> 'role' end)
        on conflict on constraint actors_pkey do update set attempt = excluded.attempt, state = excluded.state, slice = null;
    end if;
end;
$$;

-- One step of one worker. BK001 and a false heartbeat mean that it stops.
create function pg_temp.act(a actors) returns void language plpgsql as $$
declare
    worker uuid := tests.worker(a.id);
    snapshot text := format('attempt-%s-%s', a.attempt, a.id);
    next text := a.state;
    part text;
    finish jsonb;
    alone boolean;
begin
    if random() < 0.3 and not backup._heartbeat(a.run, worker) then
        next := 'gone';
    elsif random() < 0.01 then
        perform backup._fail(a.run, worker, '{"code": "verification_failed", "message": "m"}', true);
        next := 'gone';
    elsif a.state = 'lost' then
        perform backup._fail(a.run, worker, '{"code": "snapshot_lost", "message": "m"}', true);
        next := 'gone';
    elsif a.state = 'plan' then
        part := pg_temp.store(a, '00000.dump');
        perform backup._store_plan(
            a.run, worker,
            tests.plan(5, snapshot) || jsonb_build_object('parts', jsonb_build_array(jsonb_build_object('name', '00000.dump', 'bytes', 1, 'sha256', part)))
        );
        next := 'exporting';
    elsif a.state = 'export' then
        perform backup._publish_snapshot(a.run, worker, snapshot);
        next := 'exporting';
    elsif a.state = 'exporting' and a.slice is not null then
        perform backup._record_part(a.run, worker, a.slice, tests.part_of(a.slice), 1, pg_temp.store(a, tests.part_of(a.slice)));
        perform backup._finish_slice(a.run, worker, a.slice, '{"rows": 1, "raw_bytes": 1, "stored_bytes": 1, "pieces": []}');
        update actors set slice = null where id = a.id;
    elsif a.state = 'exporting' and random() < 0.8 then
        update actors set slice = tests.claim(a.run, a.id) where id = a.id returning case when slice is null then 'leaving' else 'exporting' end into next;
    elsif a.state = 'finish' or (a.state in ('exporting', 'leaving') and random() < 0.5) then
        finish := backup._claim_finish(a.run, worker);
        if finish is not null then
            insert into told select a.id, stored ->> 'name' from jsonb_array_elements(finish -> 'parts') stored;
            next := 'finishing';
        elsif a.state = 'finish' then
            next := 'leaving';
        end if;
    elsif a.state = 'finishing' and random() < 0.85 then
        select t.name into part from told t where t.id = a.id order by random() limit 1;
        insert into read_back values (a.attempt, part);
        perform backup._mark_part_verified(a.run, worker, part);
    elsif a.state = 'finishing' then
        next := 'gone';
        if backup._heartbeat(a.run, worker, '{"phase": "rotating"}') then
            insert into manifests values (a.attempt, a.id) on conflict (attempt) do update set writer = excluded.writer;
            next := 'ending';
        end if;
    elsif a.state = 'ending' then
        begin
            perform backup._succeed(a.run, worker, tests.ending() || jsonb_build_object('checksum', a.id));
            insert into counts values ('succeeded');
            next := 'gone';
        exception when object_not_in_prerequisite_state then
            -- A part was not read back yet.
            next := 'finishing';
        end;
    else
        alone := exists (select from backup.slices s where s.run_id = a.run and s.finished_at is null)
            and exists (select from backup.live_workers w where w.id = worker and w.held_at is not null)
            and not exists (select from backup.live_workers w where w.run_id = a.run and w.held_at is not null and w.id <> worker and w.working);
        next := case
            when backup._release(a.run, worker, case when random() < 0.1 then '{"code": "worker_ended", "message": "m"}'::jsonb end) then 'gone'
            else 'leaving'
        end;
        perform pg_temp.expect(not (alone and next = 'gone'), 'the last holder left');
    end if;
    update actors set state = next where id = a.id;
exception when sqlstate 'BK001' then
    update actors set state = 'gone' where id = a.id;
end;
$$;

-- A run from its start to its end; answers how it ended.
create function pg_temp.play(seed double precision) returns text language plpgsql as $$
declare
    run bigint := backup.start();
    newest integer := 0;
    chance double precision;
    a actors;
begin
    delete from actors;
    delete from objects;
    delete from read_back;
    delete from manifests;
    delete from told;
    perform setseed(seed);
    for step in 1 .. 2000 loop
        chance := random();
        -- Trouble ends after a while; a run must then come to its end.
        if chance < 0.06 and step < 400 then
            perform tests.die(id) from actors where state <> 'gone' order by random() limit 1;
        elsif chance < 0.12 and step < 400 then
            perform tests.fall_silent(id) from actors where state <> 'gone' order by random() limit 1;
        elsif chance < 0.16 then
            perform tests.pass(interval '25 seconds');
            perform backup.watch();
        elsif chance < 0.30 then
            -- The function is called, now and then by a person, and now and then a worker asks again.
            if exists (select from backup.calls where run_id = run and used_at is null) or random() < 0.1 then
                perform backup._redeem(tests.token());
                newest := newest + 1;
                perform pg_temp.enter(run, case when random() < 0.3 then 1 + (random() * (newest - 1))::integer else newest end);
            end if;
        else
            select * into a from actors where state <> 'gone' order by random() limit 1;
            continue when not found;
            perform pg_temp.act(a);
        end if;
        exit when (tests.run(run)).finished_at is not null;
    end loop;
    perform pg_temp.expect((tests.run(run)).finished_at is not null, format('run of seed %s did not end: %s', seed, to_jsonb(tests.run(run))));
    if (tests.run(run)).status = 'succeeded' then
        perform pg_temp.expect(
            (select count(*) = 6 and bool_and(p.verified_at is not null and o.sha256 is not null)
             from backup.parts p left join objects o on (o.attempt, o.name, o.sha256) = ((tests.run(run)).attempt, p.name, p.sha256)
             where p.run_id = run),
            'a success of other parts than its own'
        );
        perform pg_temp.expect(
            not exists (select from objects o where o.attempt = (tests.run(run)).attempt and o.name not in (select name from read_back r where r.attempt = o.attempt)),
            'a success with parts that nobody has read back'
        );
        perform pg_temp.expect(
            (tests.run(run)).checksum = (select writer::text from manifests m where m.attempt = (tests.run(run)).attempt),
            'the manifest is of another finisher than the log says'
        );
    end if;
    perform tests.commit();
    perform pg_temp.expect((select count(*) from cron.job where jobname = 'backup-watch') = 0, 'the watch-dog outlived the run');
    insert into counts values ((tests.run(run)).status || ' in attempt ' || (tests.run(run)).attempt);
    return (tests.run(run)).status;
end;
$$;

select tests.configure();
select backup.configure(workers => 3, max_attempts => 6);
select is(
    tests.error_of('select pg_temp.play(seed / 30.0) from generate_series(0, 20) seed'), null, 'no promise is broken in 21 runs'
);
select is(
    (select count(*) from counts where what = 'succeeded'), (select count(*) from counts where what like 'succeeded in %'),
    'every success is one worker''s'
);
select ok((select count(*) > 2 from counts where what = 'succeeded in attempt 1'), 'some runs went well');
select ok((select count(*) > 2 from counts where what ~ 'succeeded in attempt [2-6]'), 'others needed more than one attempt');

select * from finish();
rollback;
