-- Vault as it was on top of pgsodium: the function and the view that encrypt and decrypt a column are made by pgsodium,
-- and are no members of an extension.
create schema pgsodium;
create extension pgsodium with schema pgsodium;
grant usage on schema pgsodium to public;

create extension supabase_vault with schema vault version '0.2.8';
grant all on schema vault to pgsodium_keyiduser;

create function vault.secrets_encrypt_secret_secret()
returns trigger
language plpgsql
as $$
begin
    new.secret = case when new.secret is null or new.key_id is null then null else encode(
        pgsodium.crypto_aead_det_encrypt(
            convert_to(new.secret, 'utf8'),
            convert_to(new.id::text || new.description || new.created_at::text || new.updated_at::text, 'utf8'),
            new.key_id, new.nonce
        ), 'base64'
    ) end;
    return new;
end;
$$;

create trigger secrets_encrypt_secret_trigger_secret
before insert or update of secret on vault.secrets
for each row execute function vault.secrets_encrypt_secret_secret();

create view vault.decrypted_secrets as
select
    id, name, description, secret,
    case when secret is null or key_id is null then null else convert_from(
        pgsodium.crypto_aead_det_decrypt(
            decode(secret, 'base64'),
            convert_to(id::text || description || created_at::text || updated_at::text, 'utf8'), key_id, nonce
        ), 'utf8'
    ) end as decrypted_secret,
    key_id, nonce, created_at, updated_at
from vault.secrets;

grant all on vault.decrypted_secrets to pgsodium_keyiduser;
