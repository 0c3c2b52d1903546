-- What each kind of statement leaves in the history.
begin;
select plan(33);

create schema shop;
create table shop.plays (id integer primary key, title text not null, note text);
select versioning.track('shop.plays');
-- The versions since the last look, oldest first: operation, key, number, what changed.
create temp table looked as select 0::bigint as at;
create function pg_temp.news()
returns text[]
language sql
as $$
    with news as (select h.* from versioning.history h, looked l where h.id > l.at),
    moved as (update looked set at = coalesce((select max(id) from news), at))
    select coalesce(array_agg(format('%s %s/%s%s', operation, key, version, case when operation = 'update' then ' ' || array_to_string(changed, '+') end) order by id), '{}') from news;
$$;

insert into shop.plays values (1, 'Hamlet', null);
select is(pg_temp.news(), '{create 1/1}', 'insert');
update shop.plays set title = 'HAMLET' where id = 1;
select is(pg_temp.news(), '{update 1/2 title}', 'update');
select is((select before ->> 'title' || ' → ' || (after ->> 'title') from versioning.history order by id desc limit 1), 'Hamlet → HAMLET', 'before and after');
update shop.plays set note = 'n', title = 'Hamlet' where id = 1;
select is(pg_temp.news(), '{update 1/3 title+note}', 'two columns');
select is((select before from versioning.history order by id desc limit 1), '{"id": 1, "title": "HAMLET", "note": null}'::jsonb, 'a null before is a null');
update shop.plays set note = null where id = 1;
select is((select after from versioning.history order by id desc limit 1), '{"id": 1, "title": "Hamlet", "note": null}'::jsonb, 'and after');
select is((select before ->> 'note' from versioning.history order by id desc limit 1), 'n', 'of which the value before is known');
select isnt(pg_temp.news(), '{}', 'that was a version');
update shop.plays set title = title, note = note;
select is(pg_temp.news(), '{}', 'an update that changes nothing makes none');
update shop.plays set title = 'x' where id = 99;
select is(pg_temp.news(), '{}', 'nor does one of no row');
delete from shop.plays where id = 1;
select is(pg_temp.news(), '{delete 1/5}', 'delete');
select ok((select after is null and before ->> 'title' = 'Hamlet' from versioning.history order by id desc limit 1), 'of which the row is known');
insert into shop.plays values (1, 'Hamlet', null);
select is(pg_temp.news(), '{create 1/6}', 'the same key again goes on with its history');

insert into shop.plays values (1, 'Othello', null), (2, 'Lear', null) on conflict (id) do update set title = excluded.title;
select set_eq($$ select unnest(pg_temp.news()) $$, array['create 2/1', 'update 1/7 title'], 'on conflict do update: each row as what it was');
insert into shop.plays values (1, 'x', null) on conflict do nothing;
select is(pg_temp.news(), '{}', 'on conflict do nothing');
merge into shop.plays p
using (values (1, 'Merged'), (2, null), (3, 'Macbeth')) v (id, title) on p.id = v.id
when matched and v.title is null then delete
when matched then update set title = v.title
when not matched then insert values (v.id, v.title);
select set_eq($$ select unnest(pg_temp.news()) $$, array['update 1/8 title', 'delete 2/2', 'create 3/1'], 'merge');
with gone as (delete from shop.plays where id = 3 returning *)
insert into shop.plays select 4, title, note from gone;
select set_eq($$ select unnest(pg_temp.news()) $$, array['delete 3/2', 'create 4/1'], 'two changes in one statement');

update shop.plays set id = 5 where id = 4;
select set_eq($$ select unnest(pg_temp.news()) $$, array['delete 4/2', 'create 5/1'], 'a changed key ends one entity and begins another');
insert into shop.plays values (6, 'a', null), (7, 'b', null);
update looked set at = (select max(id) from versioning.history);
alter table shop.plays drop constraint plays_pkey, add primary key (id) deferrable;
update shop.plays set id = 13 - id where id in (6, 7);
select set_eq($$ select unnest(pg_temp.news()) $$, array['update 6/2 title', 'update 7/2 title'], 'two rows that swap their keys have changed, each, in the rest');
alter table shop.plays drop constraint plays_pkey, add primary key (id);

savepoint before_error;
update shop.plays set title = 'never';
rollback to before_error;
select is(pg_temp.news(), '{}', 'what is rolled back was never there');
truncate shop.plays;
select is(
    (select array_agg(distinct split_part(n, ' ', 1)) from unnest(pg_temp.news()) n), '{truncate}', 'truncate: a version for each row'
);
select is((select count(*) from versioning.history where operation = 'truncate' and before is not null and after is null), 4::bigint, 'which is in it');

-- Rows that triggers change again, and rows that statements inside of others change.
create function shop.again() returns trigger language plpgsql as $$
begin
    if new.note is distinct from 'seen' then
        update shop.plays set note = 'seen' where id = new.id;
    end if;
    return null;
end;
$$;
create trigger again after insert or update on shop.plays for each row execute function shop.again();
insert into shop.plays values (10, 'Phèdre', null);
select is(pg_temp.news(), '{create 10/1,"update 10/2 note"}', 'a row that a trigger changes at once: its creation comes first');
update shop.plays set title = 'PHÈDRE', note = 'x' where id = 10;
select is(pg_temp.news(), '{"update 10/3 title+note","update 10/4 note"}', 'and its update before the trigger''s');
select is((select after ->> 'note' from versioning.history order by id desc limit 1), 'seen', 'the newest version is how the row is');
drop trigger again on shop.plays;

create table shop.scenes (id integer primary key, play integer references shop.plays on update cascade on delete cascade);
select versioning.track('shop.scenes');
insert into shop.scenes values (1, 10), (2, 10);
update looked set at = (select max(id) from versioning.history);
update shop.plays set id = 11 where id = 10;
select set_eq(
    $$ select unnest(pg_temp.news()) $$, array['delete 10/5', 'create 11/1', 'update 1/2 play', 'update 2/2 play'], 'foreign keys that cascade, an update'
);
delete from shop.plays where id = 11;
select set_eq($$ select unnest(pg_temp.news()) $$, array['delete 11/2', 'delete 1/3', 'delete 2/3'], 'and a delete');

-- Who, when, why.
select set_config('request.jwt.claims', '{"sub": "5f9c6d0e-0000-4000-8000-000000000001", "role": "authenticated"}', true);
grant usage on schema shop to authenticated;
grant insert on shop.plays to authenticated;
set local role authenticated;
select versioning.because('the season''s opening');
insert into shop.plays values (20, 'Tartuffe', null);
reset role;
select results_eq(
    $$ select actor, role, reason, transaction = versioning.transaction(), at between now() and clock_timestamp() from versioning.history order by id desc limit 1 $$,
    $$ values ('5f9c6d0e-0000-4000-8000-000000000001', 'authenticated', 'the season''s opening', true, true) $$,
    'a version knows who made it, as whom, why, in which transaction and when'
);
select versioning.because(null);
select set_config('request.headers', '{"x-reason": "by the API"}', true);
update shop.plays set title = 'TARTUFFE';
select is((select reason from versioning.history order by id desc limit 1), 'by the API', 'the header x-reason says why');
select set_config('request.headers', '', true), set_config('request.jwt.claims', '', true);
update shop.plays set title = 'Tartuffe';
select results_eq(
    $$ select actor, role, reason from versioning.history order by id desc limit 1 $$, $$ values (null::text, 'postgres', null::text) $$,
    'without claims there is a role only'
);
select ok(abs(versioning.transaction() / 4194304 + 1577836800 - extract(epoch from now())) <= 1, 'a transaction''s number tells its second');
select is(
    (select count(*) from (select key, version, table_id, count(*) over (partition by table_id, key) as of, max(version) over (partition by table_id, key) as last from versioning.history) h where last <> of),
    0::bigint, 'numbers have no gaps'
);
select is_empty($$ select table_id, key, version from versioning.history group by 1, 2, 3 having count(*) > 1 $$, 'and none is there twice');
select * from finish();
rollback;
