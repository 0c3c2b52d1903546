-- A stand-in for supabase_vault 0.3.1: same members, same grants once the platform's trigger has made them. Secrets are
-- encrypted with pgcrypto instead of libsodium. As with the real one the key is not in the database: it is the file
-- vault.key in the server's own folder, which SQL reads only through the definer functions below, and which no dump
-- contains.
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

create function vault._crypto_aead_det_noncegen()
returns bytea
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select extensions.gen_random_bytes(16);
$$;

-- The signatures are the real ones'; only the message counts here.
create function vault._crypto_aead_det_encrypt(
    message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium', nonce bytea default null
)
returns bytea
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select extensions.pgp_sym_encrypt_bytea(message, btrim(pg_read_file('vault.key'), e'\n'));
$$;

create function vault._crypto_aead_det_decrypt(
    message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium', nonce bytea default null
)
returns bytea
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select extensions.pgp_sym_decrypt_bytea(message, btrim(pg_read_file('vault.key'), e'\n'));
$$;

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
set search_path = pg_catalog, pg_temp
as $$
    insert into vault.secrets (secret, name, description)
    values (
        translate(encode(vault._crypto_aead_det_encrypt(convert_to(new_secret, 'UTF8'), ''::bytea, 0), 'base64'), e'\n', ''),
        new_name, new_description
    )
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
security definer
set search_path = pg_catalog, pg_temp
as $$
    update vault.secrets s
    set secret = coalesce(
            translate(encode(vault._crypto_aead_det_encrypt(convert_to(new_secret, 'UTF8'), ''::bytea, 0), 'base64'), e'\n', ''),
            s.secret
        ),
        name = coalesce(new_name, s.name),
        description = coalesce(new_description, s.description),
        updated_at = current_timestamp
    where s.id = secret_id;
$$;

-- A real one leaves its functions to its owner, and so does this: the platform grants what people need.
revoke all on function vault._crypto_aead_det_noncegen(), vault._crypto_aead_det_encrypt, vault._crypto_aead_det_decrypt,
    vault.create_secret, vault.update_secret from public;

select pg_catalog.pg_extension_config_dump('vault.secrets', '');
