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

-- The person who asks, as which role and why: all triggers record the same. As auth.uid() has it on hosted projects,
-- where the server writes it out.
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

create function bench.role()
returns text
language sql
stable
as $$
    select coalesce(nullif(current_setting('role'), 'none'), session_user);
$$;

create function bench.reason()
returns text
language sql
stable
as $$
    select coalesce(
        nullif(current_setting('audit.reason', true), ''),
        nullif(current_setting('request.headers', true), '')::jsonb ->> 'x-reason'
    );
$$;

-- The usual way: a trigger for each row that stores it whole, old and new, as jsonb. Equivalent: for any table, whose
-- key is its argument; versions are numbered for each row; an update that changes nothing makes none; it tells who, as
-- which role, why, in which transaction and when; versions are found by number, by row and by time.
create table bench.usual_history (
    id bigint generated always as identity primary key,
    table_schema text not null,
    table_name text not null,
    record_id text not null,
    version integer not null,
    operation text not null,
    old_record jsonb,
    record jsonb,
    actor uuid,
    role text,
    reason text,
    transaction bigint not null,
    at timestamptz not null,

    unique (table_schema, table_name, record_id, version)
);
create index on bench.usual_history using brin (transaction, at) with (pages_per_range = 32);

create function bench.audit_usually()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    old_record jsonb;
    new_record jsonb;
    key text;
    -- Names have another collation than the index, which is of no use to them.
    schema_name text := tg_table_schema;
    name text := tg_table_name;
begin
    if tg_op <> 'INSERT' then
        old_record := to_jsonb(old);
    end if;
    if tg_op <> 'DELETE' then
        new_record := to_jsonb(new);
    end if;
    if old_record = new_record then
        return null;
    end if;
    key := coalesce(new_record, old_record) ->> tg_argv[0];
    insert into bench.usual_history (
        table_schema, table_name, record_id, version, operation, old_record, record, actor, role, reason, transaction, at
    )
    values (
        schema_name, name, key,
        1 + coalesce(
            (
                select h.version from bench.usual_history h
                where h.table_schema = schema_name and h.table_name = name and h.record_id = key
                order by h.version desc limit 1
            ),
            0
        ),
        tg_op, old_record, new_record, bench.uid(), bench.role(), bench.reason(),
        txid_current(), clock_timestamp()
    );
    return null;
end;
$$;

create trigger audit after insert or update or delete on bench.audited for each row execute function bench.audit_usually('id');

-- The leanest of its kind that we could write: for one table whose key it knows, without numbers of versions, without a
-- look whether anything changed.
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
            tg_table_schema, tg_table_name, new.id::text, tg_op, to_jsonb(new), bench.uid(), bench.role(),
            bench.reason(), txid_current(), clock_timestamp()
        );
    elsif tg_op = 'UPDATE' then
        insert into bench.lean_history (table_schema, table_name, record_id, operation, old_record, record, actor, role, reason, transaction, at)
        values (
            tg_table_schema, tg_table_name, new.id::text, tg_op, to_jsonb(old), to_jsonb(new), bench.uid(), bench.role(),
            bench.reason(), txid_current(), clock_timestamp()
        );
    else
        insert into bench.lean_history (table_schema, table_name, record_id, operation, old_record, actor, role, reason, transaction, at)
        values (
            tg_table_schema, tg_table_name, old.id::text, tg_op, to_jsonb(old), bench.uid(), bench.role(),
            bench.reason(), txid_current(), clock_timestamp()
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
    truncate bench.source, bench.samples;
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
    -- Planned while the history is empty, the usual trigger's look-up would read all of it for ever.
    perform set_config('enable_seqscan', 'off', false);
    -- As on hosted projects: the writer itself writes its log, and does not wake another process for it.
    perform set_config('synchronous_commit', 'on', false);
    perform set_config('request.jwt.claims', '{"sub": "5f9c6d0e-0000-4000-8000-000000000001", "role": "authenticated"}', false);
end;
$$;
