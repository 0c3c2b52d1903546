-- The tables of the Storage API, with its columns, constraints and triggers. stack/storage/ works on them.
create schema if not exists storage;
grant usage on schema storage to anon, authenticated, service_role;
grant usage on schema storage to postgres with grant option;
grant all on schema storage to supabase_storage_admin with grant option;
grant all on schema storage to dashboard_user;

set local role supabase_storage_admin;

create type storage.buckettype as enum ('STANDARD', 'ANALYTICS', 'VECTOR');

create table storage.migrations (
    id integer primary key,
    name varchar(100) not null unique,
    hash varchar(40) not null,
    executed_at timestamp default current_timestamp
);

create table storage.buckets (
    id text primary key,
    name text not null,
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    public boolean default false,
    avif_autodetection boolean default false,
    file_size_limit bigint,
    allowed_mime_types text[],
    owner_id text,
    type storage.buckettype not null default 'STANDARD',
    versioning_status text not null default 'DISABLED',

    constraint versioning_status_check check (versioning_status = 'DISABLED')
);

create unique index bname on storage.buckets (name);
comment on column storage.buckets.owner is 'Field is deprecated, use owner_id instead';

create table storage.objects (
    id uuid primary key default gen_random_uuid(),
    bucket_id text,
    name text,
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    last_accessed_at timestamptz default now(),
    metadata jsonb,
    path_tokens text[] generated always as (string_to_array(name, '/')) stored,
    version text,
    owner_id text,
    user_metadata jsonb,
    archived_at timestamptz,
    is_delete_marker boolean not null default false,
    is_versioned boolean not null default false,

    constraint "objects_bucketId_fkey" foreign key (bucket_id) references storage.buckets (id)
);

create unique index bucketid_objname on storage.objects (bucket_id, name);
create index name_prefix_search on storage.objects (name text_pattern_ops);
comment on column storage.objects.owner is 'Field is deprecated, use owner_id instead';

alter table storage.migrations enable row level security;
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;

-- What the API's roles may do is for the policies to say; `postgres` may hand its rights on, and not alter the tables.
grant all on storage.buckets, storage.objects to anon, authenticated, service_role;
grant all on storage.buckets, storage.objects to postgres with grant option;

create function storage.foldername(name text)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select parts[1:cardinality(parts) - 1] from string_to_array(name, '/') parts;
$$;

comment on function storage.foldername is 'The folders of an object''s name: for a/b/c.png, {a,b}.';

create function storage.filename(name text)
returns text
language sql
immutable
set search_path = ''
as $$
    select parts[cardinality(parts)] from string_to_array(name, '/') parts;
$$;

comment on function storage.filename is 'The last part of an object''s name: for a/b/c.png, c.png.';

create function storage.extension(name text)
returns text
language sql
immutable
set search_path = ''
as $$
    select reverse(split_part(reverse(storage.filename(name)), '.', 1));
$$;

comment on function storage.extension is 'What follows the last dot of an object''s name: for a/b/c.png, png.';

create function storage.operation()
returns text
language sql
stable
set search_path = ''
as $$
    select current_setting('storage.operation', true);
$$;

comment on function storage.operation is 'What the Storage API is doing, for policies that ask.';

create function storage.update_updated_at_column()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    new.updated_at = now();
    return new;
end;
$$;

create trigger update_objects_updated_at
before update on storage.objects
for each row execute function storage.update_updated_at_column();

create function storage.enforce_bucket_name_length()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if length(new.name) > 100 then
        raise exception 'bucket name "%" is too long (% characters). Max is 100.', new.name, length(new.name)
            using errcode = 'string_data_right_truncation', hint = 'Choose a shorter name.';
    end if;
    return new;
end;
$$;

create trigger enforce_bucket_name_length_trigger
before insert or update of name on storage.buckets
for each row execute function storage.enforce_bucket_name_length();

-- A row deleted with SQL leaves its file behind. The Storage API sets the parameter; so can anybody who means it.
create function storage.protect_delete()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if coalesce(current_setting('storage.allow_delete_query', true), 'false') <> 'true' then
        raise exception 'Direct deletion from storage tables is not allowed. Use the Storage API instead.'
            using errcode = 'insufficient_privilege',
                hint = 'This prevents accidental data loss from orphaned objects.';
    end if;
    return null;
end;
$$;

create trigger protect_buckets_delete
before delete on storage.buckets
for each statement execute function storage.protect_delete();

create trigger protect_objects_delete
before delete on storage.objects
for each statement execute function storage.protect_delete();

grant all on all functions in schema storage to dashboard_user;

reset role;
