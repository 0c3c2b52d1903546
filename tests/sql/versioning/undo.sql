-- Taking back a transaction. A suite is one transaction, so what belongs to another is renumbered afterwards.
begin;
select plan(22);

create schema shop;
create table shop.plays (id integer primary key, title text not null, price integer);
create table shop.scenes (id integer primary key, play integer not null references shop.plays on delete cascade, after integer references shop.scenes, name text unique);
select versioning.track('shop.plays'), versioning.track('shop.scenes');
-- What was recorded since the last call becomes the transaction of this number.
create function pg_temp.transaction_was(number bigint) returns void language sql as $$
    update versioning.records set transaction = $1 where transaction = versioning.transaction();
$$;
create function pg_temp.state() returns text language sql stable as $$
    select (select coalesce(string_agg(p::text, ' ' order by p.id), '') from shop.plays p) || ' | ' || (select coalesce(string_agg(s::text, ' ' order by s.id), '') from shop.scenes s)
$$;
insert into shop.plays values (1, 'Hamlet', 10), (2, 'Lear', 10), (3, 'Othello', 10);
insert into shop.scenes values (1, 1, null, 'ghost'), (2, 1, 1, 'mother'), (3, 2, null, 'storm');
select pg_temp.transaction_was(1);
create temp table at_first as select pg_temp.state() as state;

-- An update, a delete with its cascade, an insert, a swap, several changes of one row.
update shop.plays set title = 'LEAR' where id = 2;
update shop.plays set title = 'King Lear', price = 20 where id = 2;
delete from shop.plays where id = 1;
insert into shop.plays values (4, 'Macbeth', 5);
insert into shop.scenes values (4, 4, 3, 'witches'), (5, 4, 4, 'banquet');
insert into shop.plays values (5, 'never', 1);
delete from shop.plays where id = 5;
update shop.scenes set name = 'heath' where id = 3;
create temp table at_second as select pg_temp.state() as state;
select pg_temp.transaction_was(2);

select is((select count(*) from versioning.undo(2)), 8::bigint, 'undo() answers each row that it put back');
select is(pg_temp.state(), (select state from at_first), 'all is as it was');
select ok((select bool_and(operation = 'restore' or operation = 'delete') from versioning.history where transaction = versioning.transaction()), 'what it did are restores, and deletes of what was new');
select ok((select bool_and(reason = 'undid transaction 2') from versioning.history where transaction = versioning.transaction()), 'with the reason');
select pg_temp.transaction_was(3);
select lives_ok('select versioning.undo(3)', 'an undo can be undone');
select is(pg_temp.state(), (select state from at_second), 'to what was before it');
select pg_temp.transaction_was(4);
select lives_ok('select versioning.undo(4)', 'and that too');
select is(pg_temp.state(), (select state from at_first), 'and so on');
select pg_temp.transaction_was(5);

-- Changed since.
update shop.plays set title = 'x', price = 1 where id in (2, 3);
select pg_temp.transaction_was(6);
update shop.plays set price = 2 where id = 3;
select pg_temp.transaction_was(7);
select matches(tests.error_of('select versioning.undo(6)'), '^55000: Cannot restore row "3" of table "shop.plays": it was changed since: price', 'a row that was changed since is refused');
select is(pg_temp.state() like '%(2,x,1) (3,x,2)%', true, 'and with it all others');
select set_eq(
    $$ select u ->> 'key' as key, u -> 'restored' as restored, u -> 'kept' as kept from versioning.undo(6, if_changed => 'merge') u $$,
    $$ values ('3', '["title"]'::jsonb, '["price"]'::jsonb), ('2', '["title", "price"]', '[]') $$, 'or merged'
);
select is(pg_temp.state() like '%(2,Lear,10) (3,Othello,2)%', true, 'so that the later change stays');
select pg_temp.transaction_was(8);
select lives_ok($$ select versioning.undo(6, if_changed => 'overwrite') $$, 'or overwritten');
select is(pg_temp.state() like '%(2,Lear,10) (3,Othello,10)%', true, 'so that it does not');
select pg_temp.transaction_was(9);

-- A row that is gone since, one that came back.
delete from shop.plays where id = 3;
select pg_temp.transaction_was(10);
select matches(tests.error_of('select versioning.undo(6)'), '^55000: Cannot restore row "3" of .* it was deleted since', 'a row that is gone since');
select is((select array_agg(u ->> 'outcome') from versioning.undo(6, if_changed => 'merge') u where u ->> 'key' = '3'), '{kept}', 'stays gone in a merge');
insert into shop.plays values (3, 'Another', 1);
select pg_temp.transaction_was(11);
select matches(tests.error_of('select versioning.undo(10)'), '^55000: Cannot restore row "3" of .* it exists again', 'a row that came back');

-- Foreign keys from outside the transaction.
insert into shop.plays values (9, 'Tempest', 1);
select pg_temp.transaction_was(12);
create table shop.tickets (play integer references shop.plays);
insert into shop.tickets values (9);
select matches(tests.error_of('select versioning.undo(12)'), '^23503: Cannot undo transaction 12: .*tickets', 'a row that others need is not removed');
select ok(exists (select from shop.plays where id = 9), 'and stays');
select matches(tests.error_of('select versioning.undo(0)'), '^P0002: Transaction 0 has no versions', 'a transaction that is not known');
select matches(tests.error_of('select versioning.undo(1, ''yes'')'), '^22023: if_changed', 'a wrong choice');

-- Swapped keys and unique names: the order is found.
truncate shop.tickets;
update shop.scenes set name = name || '!';
update shop.scenes set after = 3 - id where id in (1, 2);
select pg_temp.transaction_was(13);
select versioning.undo(13);
select is(pg_temp.state() like '%| (1,1,,ghost) (2,1,1,mother) (3,2,,storm)', true, 'rows that refer to each other');
select * from finish();
rollback;
