create table if not exists backup.part_secrets (
    run_id bigint primary key references backup.log (id) on delete cascade,
    secret text not null,

    constraint secret_form check (secret ~ '^[0-9a-f]{64}$')
);

alter table backup.part_secrets enable row level security;

comment on table backup.part_secrets is
    'Secret of the active run''s present attempt, where its parts are encrypted; their keys are derived from it '
    'and from their content (docs/encryption.md). Deleted when the attempt ends.';
comment on column backup.part_secrets.run_id is 'The run.';
comment on column backup.part_secrets.secret is '32 bytes in hexadecimal; of no use without the content of a part.';

create or replace function backup._part_secret(run_id bigint, worker uuid)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    answer text;
begin
    perform backup._require_lease(run, worker);
    -- Two random UUIDs: 244 random bits, from the server's strong source.
    insert into backup.part_secrets (run_id, secret)
    values (run.id, encode(sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), 'hex'))
    on conflict on constraint part_secrets_pkey do nothing;
    select s.secret into strict answer from backup.part_secrets s where s.run_id = run.id;
    return answer;
end;
$$;

comment on function backup._part_secret is
    'Returns the secret that the keys of an attempt''s encrypted parts are derived from; the first worker that '
    'asks creates it. It is created after the attempt''s snapshot and deleted before the next one, so no backup '
    'holds one.';

create or replace function backup._delete_part_secret()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from backup.part_secrets s where s.run_id = new.id;
    return null;
end;
$$;

comment on function backup._delete_part_secret is 'Deletes the secret of an attempt that has ended.';

create or replace trigger forget_part_secret
after update of attempt, finished_at on backup.log
for each row when (new.attempt <> old.attempt or new.finished_at is not null)
execute function backup._delete_part_secret();
