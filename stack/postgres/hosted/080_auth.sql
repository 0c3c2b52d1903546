-- Further tables of GoTrue: single sign-on, passkeys, the project as an OAuth server, providers of its own.
-- (project/030_auth.sql has the others.)
set local role supabase_auth_admin;

create table auth.instances (
    id uuid primary key,
    uuid uuid,
    raw_base_config text,
    created_at timestamptz,
    updated_at timestamptz
);

create table auth.sso_providers (
    id uuid primary key,
    resource_id text,
    created_at timestamptz,
    updated_at timestamptz,
    disabled boolean
);

create table auth.sso_domains (
    id uuid primary key,
    sso_provider_id uuid not null references auth.sso_providers (id) on delete cascade,
    domain text not null,
    created_at timestamptz,
    updated_at timestamptz
);

create table auth.saml_providers (
    id uuid primary key,
    sso_provider_id uuid not null references auth.sso_providers (id) on delete cascade,
    entity_id text not null unique,
    metadata_xml text not null,
    metadata_url text,
    attribute_mapping jsonb,
    created_at timestamptz,
    updated_at timestamptz,
    name_id_format text
);

create table auth.flow_state (
    id uuid primary key,
    user_id uuid,
    auth_code text,
    provider_type text not null,
    authentication_method text not null,
    created_at timestamptz,
    updated_at timestamptz
);

create table auth.saml_relay_states (
    id uuid primary key,
    sso_provider_id uuid not null references auth.sso_providers (id) on delete cascade,
    request_id text not null,
    redirect_to text,
    created_at timestamptz,
    updated_at timestamptz,
    flow_state_id uuid references auth.flow_state (id) on delete cascade
);

create table auth.one_time_tokens (
    id uuid primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    token_type text not null,
    token_hash text not null,
    relates_to text not null,
    created_at timestamp not null default now(),
    updated_at timestamp not null default now()
);

create type auth.oauth_registration_type as enum ('dynamic', 'manual');
create type auth.oauth_client_type as enum ('public', 'confidential');

create table auth.oauth_clients (
    id uuid primary key,
    client_secret_hash text,
    registration_type auth.oauth_registration_type not null,
    redirect_uris text not null,
    grant_types text not null,
    client_name text,
    client_uri text,
    logo_uri text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    client_type auth.oauth_client_type not null default 'confidential'
);

create table auth.oauth_authorizations (
    id uuid primary key,
    authorization_id text not null unique,
    client_id uuid not null references auth.oauth_clients (id) on delete cascade,
    user_id uuid references auth.users (id) on delete cascade,
    redirect_uri text not null,
    scope text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null default now() + interval '3 minutes'
);

create table auth.oauth_consents (
    id uuid primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    client_id uuid not null references auth.oauth_clients (id) on delete cascade,
    scopes text not null,
    granted_at timestamptz not null default now(),
    revoked_at timestamptz
);

create table auth.oauth_client_states (
    id uuid primary key,
    provider_type text not null,
    code_verifier text,
    created_at timestamptz not null
);

create table auth.custom_oauth_providers (
    id uuid primary key default gen_random_uuid(),
    provider_type text not null,
    identifier text not null unique,
    name text not null,
    client_id text not null,
    client_secret text not null,
    enabled boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table auth.webauthn_credentials (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete cascade,
    credential_id bytea not null unique,
    public_key bytea not null,
    sign_count bigint not null default 0,
    friendly_name text not null default '',
    created_at timestamptz not null default now(),
    last_used_at timestamptz
);

create table auth.webauthn_challenges (
    id uuid primary key default gen_random_uuid(),
    user_id uuid references auth.users (id) on delete cascade,
    session_data jsonb not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);

alter table auth.instances enable row level security;
alter table auth.sso_providers enable row level security;
alter table auth.sso_domains enable row level security;
alter table auth.saml_providers enable row level security;
alter table auth.flow_state enable row level security;
alter table auth.saml_relay_states enable row level security;
alter table auth.one_time_tokens enable row level security;

revoke grant option for select on all tables in schema auth from postgres cascade;
grant select on auth.users, auth.refresh_tokens, auth.audit_log_entries, auth.identities, auth.sessions, auth.mfa_factors,
    auth.mfa_challenges, auth.mfa_amr_claims, auth.schema_migrations, auth.instances, auth.sso_providers, auth.sso_domains,
    auth.saml_providers, auth.flow_state, auth.saml_relay_states, auth.one_time_tokens to postgres with grant option;
reset role;
