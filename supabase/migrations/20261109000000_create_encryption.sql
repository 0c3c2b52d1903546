-- What the keys of encrypted parts follow from, together with each part's content (docs/encryption.md). All workers of an attempt have the same
-- one, so that a part that is stored twice is the same bytes twice. It goes when the attempt ends, however it ends.
create table if not exists backup.part_secrets (
    run_id bigint primary key references backup.log (id) on delete cascade,
    secret text not null,

    constraint secret_form check (secret ~ '^[0-9a-f]{64}$')
);

-- Nobody but the owner; no policies, no grants.
alter table backup.part_secrets enable row level security;

comment on table backup.part_secrets is 'Secret of the active run''s present attempt, where its parts are encrypted.';
comment on column backup.part_secrets.run_id is 'The run.';
comment on column backup.part_secrets.secret is '32 bytes in hexadecimal; of no use without the content of a part.';

-- The secret of the present attempt, for one of its workers; the first who asks makes it. It is made after the attempt's snapshot was taken, and
-- gone before the next one's: no backup holds one.
create or replace function backup._part_secret(run_id bigint, worker uuid)
returns text
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    answer text;
begin
    perform backup._require_place(run, worker);
    -- Two random UUIDs: 244 random bits, from the server's strong source.
    insert into backup.part_secrets (run_id, secret)
    values (run.id, encode(sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), 'hex'))
    on conflict on constraint part_secrets_pkey do nothing;
    select s.secret into strict answer from backup.part_secrets s where s.run_id = run.id;
    return answer;
end;
$$;

revoke all on function backup._part_secret from public;
comment on function backup._part_secret is 'The secret that the keys of an attempt''s encrypted parts follow from.';

create or replace function backup._forget_part_secret()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    delete from backup.part_secrets s where s.run_id = new.id;
    return null;
end;
$$;

revoke all on function backup._forget_part_secret from public;
comment on function backup._forget_part_secret is 'Removes the secret of an attempt that has ended.';

create or replace trigger forget_part_secret
after update of attempt, finished_at on backup.log
for each row when (new.attempt <> old.attempt or new.finished_at is not null)
execute function backup._forget_part_secret();
