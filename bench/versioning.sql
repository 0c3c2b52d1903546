-- The demo's `spectacles`, without what the demo builds on it.
create schema bench;

create table bench.plain (
    id uuid primary key,
    titre text not null,
    sous_titre text,
    auteur text,
    saison text not null,
    statut text not null,
    resume text,
    duree interval,
    age_minimum smallint,
    prix_plein numeric(8, 2),
    etiquettes text[] not null,
    metadonnees jsonb not null,
    publie_le timestamptz,
    cree_le timestamptz not null,
    mis_a_jour_le timestamptz not null
);
create table bench.audited (like bench.plain including all);
create table bench.lean (like bench.plain including all);
create table bench.tracked (like bench.plain including all);
create table bench.source (like bench.plain including all);
create table bench.samples (number integer primary key, id uuid not null);

-- Who asks, as auth.uid() reads it on hosted projects. Written out, as the server does there: the stack's own function cannot be inlined.
create function bench.uid()
returns uuid
language sql
stable
as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
    )::uuid;
$$;

-- The field's usual way on Supabase: columns, indexes and work per row as in supa_audit. A trigger for each row stores it whole, old and new, as
-- jsonb, and finds it again by a uuid made of table and key.
create table bench.usual_history (
    id bigserial primary key,
    record_id uuid,
    old_record_id uuid,
    op text not null,
    ts timestamptz not null default clock_timestamp(),
    table_oid oid not null,
    table_schema name not null,
    table_name name not null,
    record jsonb,
    old_record jsonb,
    auth_uid uuid default bench.uid(),
    auth_role text default current_setting('role')
);
create index on bench.usual_history using brin (ts);
create index on bench.usual_history (table_oid);
create index on bench.usual_history (record_id) where record_id is not null;
create index on bench.usual_history (old_record_id) where old_record_id is not null;

create function bench.key_columns(entity_oid oid)
returns text[]
language sql
stable
security definer
set search_path = ''
as $$
    select coalesce(array_agg(a.attname::text order by a.attnum), '{}')
    from pg_catalog.pg_index i
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where i.indrelid = entity_oid and i.indisprimary;
$$;

create function bench.record_id(entity_oid oid, key_columns text[], record jsonb)
returns uuid
language sql
stable
as $$
    select case
        when record is null then null
        when key_columns = '{}' then extensions.uuid_generate_v4()
        else (
            select extensions.uuid_generate_v5(
                '8a3d1f6c-52c4-4f0e-9b2a-6f1f0f6f7f10',
                (jsonb_build_array(to_jsonb(entity_oid)) || jsonb_agg(record ->> c))::text
            )
            from unnest(key_columns) c
        )
    end;
$$;

create function bench.audit_usually()
returns trigger
language plpgsql
security definer
as $$
declare
    key_columns text[] := bench.key_columns(tg_relid);
    new_record jsonb := to_jsonb(new);
    old_record jsonb := to_jsonb(old);
begin
    insert into bench.usual_history (record_id, old_record_id, op, table_oid, table_schema, table_name, record, old_record)
    values (
        bench.record_id(tg_relid, key_columns, new_record), bench.record_id(tg_relid, key_columns, old_record), tg_op,
        tg_relid, tg_table_schema, tg_table_name, new_record, old_record
    );
    return coalesce(new, old);
end;
$$;

create trigger audit after insert or update or delete on bench.audited for each row execute function bench.audit_usually();

-- The leanest of its kind that we could write for one table alone: it knows the key, and finds versions by no more than tracked tables do.
create table bench.lean_history (
    id bigint generated always as identity primary key,
    table_schema text not null,
    table_name text not null,
    record_id text not null,
    operation text not null,
    old_record jsonb,
    record jsonb,
    actor uuid,
    role text,
    reason text,
    transaction bigint not null,
    at timestamptz not null
);
create index on bench.lean_history (table_schema, table_name, record_id);
create index on bench.lean_history using brin (transaction, at) with (pages_per_range = 32);

create function bench.audit_leanly()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    if tg_op = 'INSERT' then
        insert into bench.lean_history (table_schema, table_name, record_id, operation, record, actor, role, reason, transaction, at)
        values (
            tg_table_schema, tg_table_name, new.id::text, tg_op, to_jsonb(new), bench.uid(), current_setting('role'),
            current_setting('audit.reason', true), txid_current(), clock_timestamp()
        );
    elsif tg_op = 'UPDATE' then
        insert into bench.lean_history (table_schema, table_name, record_id, operation, old_record, record, actor, role, reason, transaction, at)
        values (
            tg_table_schema, tg_table_name, new.id::text, tg_op, to_jsonb(old), to_jsonb(new), bench.uid(), current_setting('role'),
            current_setting('audit.reason', true), txid_current(), clock_timestamp()
        );
    else
        insert into bench.lean_history (table_schema, table_name, record_id, operation, old_record, actor, role, reason, transaction, at)
        values (
            tg_table_schema, tg_table_name, old.id::text, tg_op, to_jsonb(old), bench.uid(), current_setting('role'),
            current_setting('audit.reason', true), txid_current(), clock_timestamp()
        );
    end if;
    return null;
end;
$$;

create trigger audit after insert or update or delete on bench.lean for each row execute function bench.audit_leanly();

select versioning.track('bench.tracked', published => 'publie_le');

create function bench.fill(rows integer, samples integer)
returns void
language sql
as $$
    insert into bench.source
    select
        -- Random, as gen_random_uuid() makes them, and the same every time.
        md5(n::text)::uuid,
        'Le spectacle numéro ' || n,
        case when n % 3 = 0 then 'une reprise de la saison passée' end,
        (array['Molière', 'Marivaux', 'Anton Tchekhov', 'William Shakespeare', 'Nathalie Sarraute'])[n % 5 + 1],
        '2025-2026',
        'brouillon',
        repeat('Une comédie en plusieurs actes, où personne n’est ce qu’il paraît. ', 1 + n % 4),
        make_interval(mins => 60 + n % 120),
        n % 18,
        (n % 60) + 0.50,
        array['théâtre', 'tout public'],
        jsonb_build_object('langue', 'fr', 'plateau', n % 12),
        case when n % 2 = 0 then timestamptz '2026-01-01' + n * interval '1 minute' end,
        timestamptz '2025-09-01' + n * interval '1 minute',
        timestamptz '2025-09-01' + n * interval '1 minute'
    from generate_series(1, rows) n;
    insert into bench.samples select row_number() over () - 1, s.id from bench.source s limit samples;
$$;

-- All tables and histories anew, for the session of somebody who has signed in.
create function bench.empty()
returns void
language plpgsql
as $$
begin
    alter table bench.tracked disable trigger versioning_truncate;
    truncate bench.plain, bench.audited, bench.lean, bench.tracked, bench.usual_history, bench.lean_history, versioning.records;
    alter table bench.tracked enable trigger versioning_truncate;
    perform set_config('request.jwt.claims', '{"sub": "5f9c6d0e-0000-4000-8000-000000000001", "role": "authenticated"}', false);
end;
$$;
