-- The bucket: private, for archives and manifests only, and nobody's but the service role's.
begin;
select plan(9);

select is(
    (select row(b.id, b.name, b.public, b.file_size_limit, b.allowed_mime_types)::text from storage.buckets b where b.id = 'backups'),
    row('backups', 'backups', false, 524288000, array['application/octet-stream', 'application/json', 'text/plain', 'text/markdown'])::text,
    'private, 500 MB a file, two types'
);
select is((select bucket from backup.settings), 'backups', 'the settings name it');
select is_empty(
    $$ select polname from pg_policy where polrelid in ('storage.objects'::regclass, 'storage.buckets'::regclass) $$,
    'no policy opens it: none is ours'
);

insert into storage.objects (bucket_id, name) values ('backups', 'backup-20261122-030000/00000.dump');
set local role anon;
select is_empty($$ select from storage.buckets where id = 'backups' $$, 'anon does not see the bucket');
select is_empty($$ select from storage.objects where bucket_id = 'backups' $$, 'nor what is in it');
select throws_ok($$ insert into storage.objects (bucket_id, name) values ('backups', 'a') $$, '42501', null, 'and puts nothing in');
set local role authenticated;
select is_empty($$ select from storage.objects where bucket_id = 'backups' $$, 'authenticated neither');
update storage.objects set name = 'stolen' where bucket_id = 'backups';
set local role service_role;
select is((select name from storage.objects where bucket_id = 'backups'), 'backup-20261122-030000/00000.dump', 'what it updates is nothing');
select lives_ok($$ insert into storage.objects (bucket_id, name) values ('backups', 'b') $$, 'service_role may');
reset role;

select * from finish();
rollback;
