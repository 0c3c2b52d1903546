-- Further tables of Storage: uploads in several parts, and its buckets of tables and of vectors.
-- (project/040_storage.sql has the others.)
set local role supabase_storage_admin;

create table storage.s3_multipart_uploads (
    id text primary key,
    in_progress_size bigint not null default 0,
    upload_signature text not null,
    bucket_id text not null references storage.buckets (id),
    key text collate "C" not null,
    version text not null,
    owner_id text,
    created_at timestamptz not null default now(),
    user_metadata jsonb
);

create table storage.s3_multipart_uploads_parts (
    id uuid primary key default gen_random_uuid(),
    upload_id text not null references storage.s3_multipart_uploads (id) on delete cascade,
    size bigint not null default 0,
    part_number integer not null,
    bucket_id text not null references storage.buckets (id),
    key text collate "C" not null,
    etag text not null,
    owner_id text,
    version text not null,
    created_at timestamptz not null default now()
);

create table storage.buckets_analytics (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    type storage.buckettype not null default 'ANALYTICS',
    format text not null default 'ICEBERG',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz
);

create table storage.iceberg_namespaces (
    id uuid primary key default gen_random_uuid(),
    bucket_name text not null,
    name text collate "C" not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    metadata jsonb not null default '{}',
    catalog_id uuid not null references storage.buckets_analytics (id) on delete cascade
);

create table storage.iceberg_tables (
    id uuid primary key default gen_random_uuid(),
    namespace_id uuid not null references storage.iceberg_namespaces (id) on delete cascade,
    bucket_name text not null,
    name text collate "C" not null,
    location text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    catalog_id uuid not null references storage.buckets_analytics (id) on delete cascade
);

create table storage.buckets_vectors (
    id text primary key,
    type storage.buckettype not null default 'VECTOR',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table storage.vector_indexes (
    id text primary key default gen_random_uuid(),
    name text collate "C" not null,
    bucket_id text not null references storage.buckets_vectors (id),
    data_type text not null,
    dimension integer not null,
    distance_metric text not null,
    metadata_configuration jsonb,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

do $$
declare
    name text;
begin
    foreach name in array array[
        's3_multipart_uploads', 's3_multipart_uploads_parts', 'buckets_analytics', 'iceberg_namespaces', 'iceberg_tables',
        'buckets_vectors', 'vector_indexes'
    ] loop
        execute format('alter table storage.%I enable row level security', name);
    end loop;
end;
$$;

-- The API's roles read these, and no more.
revoke all on storage.s3_multipart_uploads, storage.s3_multipart_uploads_parts, storage.iceberg_namespaces, storage.iceberg_tables
    from anon, authenticated;
grant select on storage.s3_multipart_uploads, storage.s3_multipart_uploads_parts, storage.iceberg_namespaces, storage.iceberg_tables
    to anon, authenticated;
reset role;
