-- A stand-in for pgsodium 3.1.9: its table of keys with the views over it, the functions that Vault calls, its event
-- trigger and its grants. Encryption is pgcrypto's, with the key that Vault has.
create type pgsodium.key_status as enum ('default', 'valid', 'invalid', 'expired');
create type pgsodium.key_type as enum ('aead-ietf', 'aead-det', 'hmacsha512', 'hmacsha256', 'auth', 'secretbox');

create sequence pgsodium.key_key_id_seq;

create table pgsodium.key (
    id uuid primary key default gen_random_uuid(),
    status pgsodium.key_status default 'valid',
    created timestamptz not null default current_timestamp,
    expires timestamptz,
    key_type pgsodium.key_type,
    key_id bigint default nextval('pgsodium.key_key_id_seq'),
    key_context bytea default '\x7067736f6469756d' check (length(key_context) = 8),
    name text unique,
    associated_data text default 'associated',
    raw_key bytea,
    raw_key_nonce bytea,
    parent_key uuid references pgsodium.key (id),
    comment text,
    user_data text
);

alter sequence pgsodium.key_key_id_seq owned by pgsodium.key.key_id;

create view pgsodium.valid_key as
select id, name, status, key_type, key_id, key_context, created, expires, associated_data
from pgsodium.key
where status in ('valid', 'default') and (expires is null or expires > now());

create view pgsodium.decrypted_key as
select id, status, created, expires, key_type, key_id, key_context, name, associated_data, raw_key as decrypted_raw_key, comment
from pgsodium.key;

create function pgsodium.crypto_aead_det_noncegen()
returns bytea
language sql
as $$
    select decode(replace(gen_random_uuid()::text, '-', ''), 'hex');
$$;

create function pgsodium.create_key(key_type pgsodium.key_type default 'aead-det', name text default null)
returns pgsodium.valid_key
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into pgsodium.key (key_type, name) values (create_key.key_type, create_key.name)
    returning id, name, status, key_type, key_id, key_context, created, expires, associated_data;
$$;

create function pgsodium.crypto_aead_det_encrypt(message bytea, additional bytea, key_uuid uuid, nonce bytea)
returns bytea
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select extensions.pgp_sym_encrypt_bytea(message, btrim(pg_read_file('vault.key'), e'\n') || key_uuid);
$$;

create function pgsodium.crypto_aead_det_decrypt(message bytea, additional bytea, key_uuid uuid, nonce bytea)
returns bytea
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select extensions.pgp_sym_decrypt_bytea(message, btrim(pg_read_file('vault.key'), e'\n') || key_uuid);
$$;

create function pgsodium.trg_mask_update()
returns event_trigger
language plpgsql
as $$
begin
    return;
end;
$$;

create event trigger pgsodium_trg_mask_update on ddl_command_end
when tag in ('SECURITY LABEL', 'ALTER TABLE')
execute function pgsodium.trg_mask_update();

create schema pgsodium_masks;
grant usage on schema pgsodium_masks to pgsodium_keyiduser;

revoke all on all functions in schema pgsodium from public;
grant execute on function pgsodium.crypto_aead_det_noncegen, pgsodium.create_key, pgsodium.trg_mask_update to public;
grant execute on function pgsodium.crypto_aead_det_noncegen, pgsodium.create_key, pgsodium.crypto_aead_det_encrypt,
    pgsodium.crypto_aead_det_decrypt to pgsodium_keyiduser;
grant execute on function pgsodium.crypto_aead_det_encrypt, pgsodium.crypto_aead_det_decrypt to service_role;
grant all on pgsodium.key to pgsodium_keymaker;
grant all on sequence pgsodium.key_key_id_seq to pgsodium_keymaker;
grant all on pgsodium.valid_key, pgsodium.decrypted_key to pgsodium_keyholder;
grant select on pgsodium.valid_key to pgsodium_keyiduser;

alter default privileges in schema pgsodium grant all on tables to pgsodium_keyholder;
alter default privileges in schema pgsodium grant all on sequences to pgsodium_keyholder;
alter default privileges in schema pgsodium_masks grant all on tables to pgsodium_keyiduser;
alter default privileges in schema pgsodium_masks grant all on sequences to pgsodium_keyiduser;
alter default privileges in schema pgsodium_masks grant all on functions to pgsodium_keyiduser;

select pg_catalog.pg_extension_config_dump('pgsodium.key', '');
