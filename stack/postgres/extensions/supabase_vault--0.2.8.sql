-- A stand-in for supabase_vault 0.2.8, which kept its keys in pgsodium.
create table vault.secrets (
    id uuid primary key default gen_random_uuid(),
    name text,
    description text not null default '',
    secret text not null,
    key_id uuid references pgsodium.key (id) default (pgsodium.create_key()).id,
    nonce bytea default pgsodium.crypto_aead_det_noncegen(),
    created_at timestamptz not null default current_timestamp,
    updated_at timestamptz not null default current_timestamp
);

create unique index secrets_name_idx on vault.secrets (name) where name is not null;
comment on table vault.secrets is 'Table with encrypted `secret` column for storing sensitive information on disk.';
grant all on vault.secrets to pgsodium_keyiduser;

create function vault.create_secret(
    new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
)
returns uuid
language sql
as $$
    insert into vault.secrets (secret, name, description, key_id)
    values (new_secret, new_name, new_description, coalesce(new_key_id, (pgsodium.create_key()).id))
    returning id;
$$;

create function vault.update_secret(
    secret_id uuid,
    new_secret text default null,
    new_name text default null,
    new_description text default null,
    new_key_id uuid default null
)
returns void
language sql
as $$
    update vault.secrets s
    set secret = coalesce(new_secret, (select decrypted_secret from vault.decrypted_secrets d where d.id = s.id)),
        name = coalesce(new_name, s.name),
        description = coalesce(new_description, s.description),
        key_id = coalesce(new_key_id, s.key_id),
        updated_at = current_timestamp
    where s.id = secret_id;
$$;

select pg_catalog.pg_extension_config_dump('vault.secrets', '');
