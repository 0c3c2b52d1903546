-- Encryption: which recipients are taken, and how long an attempt's secret lives.
begin;
select plan(24);

-- From age's own documentation and tools. The function checks the checksum.
\set recipient 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'
create function pg_temp.refused(recipient text) returns boolean language sql as $$
    select tests.error_of(format('select backup.configure(recipient => %L)', recipient)) is not distinct from
        '22023: Cannot change the settings: they violate the rule "recipient_form" ('
        || (select obj_description(oid, 'pg_constraint') from pg_constraint where conname = 'recipient_form') || ')';
$$;
select ok(not pg_temp.refused(:'recipient'), 'a recipient');
select ok(not pg_temp.refused(:'recipient' || ', ' || :'recipient'), 'two of them');
select ok(pg_temp.refused(r), format('not %L', r))
from unnest(array[
    ',', 'age1', upper(:'recipient'), :'recipient' || ',', ' age1', 'ssh-ed25519 AAAA', replace(:'recipient', 'q', 'b'), :'recipient' || 'q',
    'AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSDMR5JW', left(:'recipient', 61)
]) r;
select ok(pg_temp.refused(rtrim(repeat(:'recipient' || ',', 9), ',')), 'nine are too many');

select backup.configure(recipient => :'recipient');
select is((select recipient from backup.settings), :'recipient'::text, 'it is configured');
select backup.configure(level => 5);
select is((select recipient from backup.settings), :'recipient'::text, 'a call that does not name it leaves it');
select is(backup.configure(recipient => ''), format('recipient: %s → not set', :'recipient'), 'an empty text turns encryption off');

-- The secret of an attempt.
select backup.configure(recipient => :'recipient');
select tests.planned_run(2) as run \gset
select is((select settings ->> 'recipient' from backup.log where id = :run), :'recipient', 'a run keeps the recipient that it began with');
select backup._part_secret(:run, tests.worker(1)) as first \gset
select matches(:'first'::text, '^[0-9a-f]{64}$', 'a worker gets the secret');
select tests.enter(:run, 2);
select is(backup._part_secret(:run, tests.worker(2)), :'first', 'each worker gets the same');
select throws_ok(format('select backup._part_secret(%s, tests.worker(9))', :run), 'BK001', null, 'and who has no place gets none');
select tests.claim(:run, 1);
select lives_ok(
    format($$ select backup._record_part(%s, tests.worker(1), 0, '00001.dump.age', 700, tests.sha256('a')) $$, :run), 'encrypted parts are named so'
);
select backup._fail(:run, tests.worker(1), '{"code": "snapshot_lost", "message": "gone"}', true);
select is((select count(*) from backup.part_secrets), 0::bigint, 'it goes with its attempt');
select tests.enter(:run, 3);
select isnt(backup._part_secret(:run, tests.worker(3)), :'first'::text, 'and the next attempt has its own');
select backup.cancel(:run);
select is((select count(*) from backup.part_secrets), 0::bigint, 'it goes with its run');

select * from finish();
rollback;
