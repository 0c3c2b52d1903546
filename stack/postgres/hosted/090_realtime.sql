-- The tables of Realtime. The service is not part of the stack; projects put policies on them.
set local role supabase_realtime_admin;

create table realtime.messages (
    topic text not null,
    extension text not null,
    payload jsonb,
    event text,
    private boolean default false,
    updated_at timestamp not null default now(),
    inserted_at timestamp not null default now(),
    id uuid not null default gen_random_uuid(),

    primary key (id, inserted_at)
) partition by range (inserted_at);

alter table realtime.messages enable row level security;
grant all on realtime.messages to postgres, dashboard_user;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;

create table realtime.subscription (
    id bigint generated always as identity primary key,
    subscription_id uuid not null,
    entity regclass not null,
    claims jsonb not null,
    created_at timestamp not null default timezone('utc', now())
);

grant all on realtime.subscription to postgres, dashboard_user;
grant select on realtime.subscription to anon, authenticated, service_role;
grant all on sequence realtime.subscription_id_seq to postgres, dashboard_user;
grant usage on sequence realtime.subscription_id_seq to anon, authenticated, service_role;

create function realtime.topic()
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select nullif(current_setting('realtime.topic', true), '');
$$;

grant execute on function realtime.topic to postgres, dashboard_user;

reset role;

create table realtime.schema_migrations (version bigint primary key, inserted_at timestamp);
