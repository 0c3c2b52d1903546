-- The log: states that cannot be.
begin;
select plan(11);

create function pg_temp.entry(changes jsonb) returns text language plpgsql as $$
declare
    entry backup.log := jsonb_populate_record(null::backup.log, '{
        "name": "backup-20261122-030000", "trigger": "manual", "status": "succeeded", "started_at": "2026-11-22", "finished_at": "2026-11-22",
        "progressed_at": "2026-11-22", "progress": {}, "attempt": 1, "attempts": [], "invocations": 1, "warnings": [], "settings": {},
        "verified_at": "2026-11-22", "checksum": "00", "pinned": false
    }' || changes);
begin
    entry.id := 1000 + (random() * 1000000)::integer;
    insert into backup.log overriding system value select entry.*;
    delete from backup.log l where l.id = entry.id;
    return null;
exception when check_violation then
    return substring(sqlerrm from 'constraint "(\w+)"');
end;
$$;
select is(pg_temp.entry('{}'), null, 'a verified success');
select is(pg_temp.entry('{"verified_at": null}'), 'success_is_verified', 'no success that was not read back');
select is(pg_temp.entry('{"checksum": null}'), 'success_is_verified', 'none without the manifest''s checksum');
select is(pg_temp.entry('{"status": "failed"}'), 'failure_has_reason', 'no failure without a reason');
select is(pg_temp.entry('{"status": "failed", "error_code": "a", "error_message": "b"}'), null, 'one with a reason');
select is(pg_temp.entry('{"status": "running"}'), 'ended_when_inactive', 'no end of an active run');
select is(pg_temp.entry('{"finished_at": null}'), 'ended_when_inactive', 'no success without an end');
select is(pg_temp.entry('{"name": "latest"}'), 'name_form', 'a name has its form');
select is(pg_temp.entry('{"name": "backup-20261122-030000-2"}'), null, 'also that of a later attempt');
select is(pg_temp.entry('{"trigger": "weekly"}'), 'trigger_known', 'no third trigger');
select is(pg_temp.entry('{"pinned": true, "removed_at": "2026-11-22"}'), 'pinned_stays', 'nothing pinned is removed');

select * from finish();
rollback;
