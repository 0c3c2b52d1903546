-- Points inside the worker verbs, for tests alone: a statement that passes an armed point waits there until the test
-- lets it go on.
create schema faults;

create table faults.armed (point text primary key);

create function faults.hold() returns trigger language plpgsql set search_path = '' as $$
begin
    if exists (select from faults.armed a where a.point = tg_name) then
        perform pg_advisory_xact_lock(77);
    end if;
    return null;
end;
$$;

create trigger enter after insert on backup.workers
    for each row when (new.purpose = 'run') execute function faults.hold();
create trigger plan after insert on backup.plans
    for each row execute function faults.hold();
create trigger hold after update on backup.workers
    for each row when (old.held_at is null and new.held_at is not null and new.role = 'export') execute function faults.hold();
create trigger claim after update on backup.slices
    for each row when (old.worker is null and new.worker is not null) execute function faults.hold();
create trigger take_over after update on backup.slices
    for each row when (old.worker is not null and new.worker <> old.worker) execute function faults.hold();
create trigger record_part after insert on backup.parts
    for each row when (new.slice_number is not null) execute function faults.hold();
-- A closing part has the last of its slice's sixteen numbers; what lies below them all is the head's, which the planner
-- stores.
create trigger record_closing_part after insert on backup.parts
    for each row when (new.slice_number is null and new.name > '00016.dump') execute function faults.hold();
create trigger finish_slice after update on backup.slices
    for each row when (old.finished_at is null and new.finished_at is not null) execute function faults.hold();
create trigger claim_finish after update on backup.workers
    for each row when (old.role <> 'finish' and new.role = 'finish') execute function faults.hold();
create trigger verified after update on backup.parts
    for each row when (old.verified_at is null and new.verified_at is not null) execute function faults.hold();
create trigger retire after update on backup.workers
    for each row when (new.purpose = 'run' and old.retired_at is null and new.retired_at is not null) execute function faults.hold();
create trigger leave after update on backup.workers
    for each row when (new.purpose = 'run' and old.left_at is null and new.left_at is not null and new.error is null) execute function faults.hold();
create trigger succeed after update on backup.log
    for each row when (old.status <> 'succeeded' and new.status = 'succeeded') execute function faults.hold();

-- Restores inside the project.
create trigger restore_enter after insert on backup.workers
    for each row when (new.purpose = 'restore') execute function faults.hold();
create trigger restore_begin after update on backup.restores
    for each row when (old.status = 'queued' and new.status = 'running') execute function faults.hold();
create trigger restore_rows after update on backup.restores
    for each row when (new.rows > old.rows) execute function faults.hold();
create trigger restore_table after update on backup.restores
    for each row when ((new.state ->> 'table')::int > (old.state ->> 'table')::int) execute function faults.hold();
create trigger restore_end after update on backup.restores
    for each row when (old.finished_at is null and new.finished_at is not null) execute function faults.hold();
create trigger restore_leave after update on backup.workers
    for each row when (new.purpose = 'restore' and old.left_at is null and new.left_at is not null) execute function faults.hold();

-- Drills.
create trigger drill_definitions after update on backup.restores
    for each row when (new.kind = 'drill' and new.state ->> 'phase' = 'definitions' and old.state ->> 'phase' is null) execute function faults.hold();
create trigger drill_tables after update on backup.restores
    for each row when (new.state ->> 'phase' = 'tables' and old.state ->> 'phase' = 'definitions') execute function faults.hold();
create trigger drill_table after update on backup.restores
    for each row when (
        new.kind = 'drill' and new.state ->> 'phase' = 'tables' and (new.state ->> 'index')::int > (old.state ->> 'index')::int
    ) execute function faults.hold();
create trigger drill_empty after update on backup.restores
    for each row when (new.state -> 'emptied' <> old.state -> 'emptied') execute function faults.hold();
create trigger drill_rest after update on backup.restores
    for each row when (new.state ->> 'phase' = 'rest' and old.state ->> 'phase' = 'tables') execute function faults.hold();
create trigger drill_compare after update on backup.restores
    for each row when (new.state ->> 'phase' = 'compare' and old.state ->> 'phase' = 'rest') execute function faults.hold();
