-- Encryption: which recipients are taken, and how long an attempt's secret lives.
begin;
select plan(26);

-- From age's own documentation and tools; the second is the first with its last two characters exchanged.
\set recipient 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'
\set mistyped 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcacp8'
select ok(backup.is_recipient(:'recipient'), 'a recipient');
select ok(backup.is_recipient(:'recipient' || ', ' || :'recipient'), 'two of them');
select ok(not backup.is_recipient(:'mistyped'), 'not one with two characters exchanged');
select is(
    (
        select count(*) from generate_series(5, 62) i
        where backup.is_recipient(overlay(:'recipient' placing case substr(:'recipient', i, 1) when 'q' then 'p' else 'q' end from i))
    ),
    0::bigint, 'nor with any character wrong'
);
select ok(not backup.is_recipient(r), format('not %L', r))
from unnest(array[
    null, '', ',', 'age1', upper(:'recipient'), :'recipient' || ',', ' age1', 'ssh-ed25519 AAAA',
    'AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSDMR5JW', left(:'recipient', 61)
]) r;
select ok(not backup.is_recipient(rtrim(repeat(:'recipient' || ',', 9), ',')), 'nine are too many');

select is((backup.configure(recipient => :'recipient')).recipient, :'recipient'::text, 'it is configured');
select is((backup.configure(level => 5)).recipient, :'recipient'::text, 'a call that does not name it leaves it');
select is((backup.configure(recipient => '')).recipient, null::text, 'an empty text turns encryption off');

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
    format($$ select backup._part(%s, tests.worker(1), 0, '00001.dump.age', 700, tests.sha256('a')) $$, :run), 'encrypted parts are named so'
);
select backup._fail(:run, tests.worker(1), '{"code": "snapshot_lost", "message": "gone"}', true);
select is((select count(*) from backup.part_secrets), 0::bigint, 'it goes with its attempt');
select tests.enter(:run, 3);
select isnt(backup._part_secret(:run, tests.worker(3)), :'first'::text, 'and the next attempt has its own');
select backup.cancel(:run);
select is((select count(*) from backup.part_secrets), 0::bigint, 'it goes with its run');

select * from finish();
rollback;
