-- A stand-in for supabase_vault: same relations and functions. Secrets are encrypted with pgcrypto instead of
-- libsodium. As with the real one the key is not in the database: it is the file vault.key in the server's own folder,
-- which SQL reads only through the definer functions below, and which no dump contains.
create schema vault;

create table vault.secrets (
    id uuid primary key default gen_random_uuid(),
    name text,
    description text not null default '',
    -- Base64.
    secret text not null,
    key_id uuid,
    -- Unused here: pgcrypto keeps its own beside the text.
    nonce bytea,
    created_at timestamptz not null default current_timestamp,
    updated_at timestamptz not null default current_timestamp
);

create unique index secrets_name_idx on vault.secrets (name) where name is not null;
comment on table vault.secrets is 'Table with encrypted `secret` column for storing sensitive information on disk.';

create function vault._key()
returns text
language sql
security definer
set search_path = ''
as $$
    select btrim(pg_read_file('vault.key'), e'\n');
$$;

revoke all on function vault._key from public;

-- The signature is the real one's; only the message counts here.
create function vault._crypto_aead_det_decrypt(
    message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium', nonce bytea default null
)
returns bytea
language sql
security definer
set search_path = ''
as $$
    select extensions.pgp_sym_decrypt_bytea(message, vault._key());
$$;

revoke all on function vault._crypto_aead_det_decrypt from public;

create function vault._encrypt(secret text)
returns text
language sql
security definer
set search_path = ''
as $$
    select translate(
        encode(extensions.pgp_sym_encrypt_bytea(convert_to(secret, 'UTF8'), vault._key()), 'base64'), e'\n', ''
    );
$$;

revoke all on function vault._encrypt from public;

create view vault.decrypted_secrets as
select
    s.id,
    s.name,
    s.description,
    s.secret,
    convert_from(
        vault._crypto_aead_det_decrypt(decode(s.secret, 'base64'), convert_to(s.id::text, 'UTF8'), 0, 'pgsodium', s.nonce),
        'UTF8'
    ) as decrypted_secret,
    s.key_id,
    s.nonce,
    s.created_at,
    s.updated_at
from vault.secrets s;

create function vault.create_secret(
    new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
)
returns uuid
language sql
security definer
set search_path = ''
as $$
    insert into vault.secrets (secret, name, description)
    values (vault._encrypt(new_secret), new_name, new_description)
    returning id;
$$;

revoke all on function vault.create_secret from public;

create function vault.update_secret(
    secret_id uuid,
    new_secret text default null,
    new_name text default null,
    new_description text default null,
    new_key_id uuid default null
)
returns void
language sql
security definer
set search_path = ''
as $$
    update vault.secrets s
    set secret = coalesce(vault._encrypt(new_secret), s.secret),
        name = coalesce(new_name, s.name),
        description = coalesce(new_description, s.description),
        updated_at = current_timestamp
    where s.id = secret_id;
$$;

revoke all on function vault.update_secret from public;

grant usage on schema vault to postgres with grant option;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres with grant option;
grant execute on function vault.create_secret, vault.update_secret, vault._crypto_aead_det_decrypt
    to postgres with grant option;
grant usage on schema vault to service_role;
grant select, delete on vault.secrets, vault.decrypted_secrets to service_role;
grant execute on function vault.create_secret, vault.update_secret, vault._crypto_aead_det_decrypt to service_role;
