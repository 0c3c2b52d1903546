-- A stand-in for pgmq 1.4.4: queues are tables that become members of the extension, and the list of them is one. Of
-- its functions only those that make, fill and read queues.
create table pgmq.meta (
    queue_name varchar not null unique,
    is_partitioned boolean not null,
    is_unlogged boolean not null,
    created_at timestamptz not null default now()
);

create type pgmq.message_record as (
    msg_id bigint, read_ct integer, enqueued_at timestamptz, vt timestamptz, message jsonb
);

create function pgmq._belongs_to_pgmq(table_name text)
returns boolean
language sql
as $$
    select exists (
        select
        from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid and e.extname = 'pgmq'
        where d.refclassid = 'pg_catalog.pg_extension'::regclass and d.deptype = 'e'
            and d.objid = pg_catalog.to_regclass(pg_catalog.format('pgmq.%I', table_name))
    );
$$;

create function pgmq.create(queue_name text)
returns void
language plpgsql
as $$
declare
    queue text := 'q_' || lower(queue_name);
    archive text := 'a_' || lower(queue_name);
begin
    execute format(
        'create table if not exists pgmq.%I (
            msg_id bigint primary key generated always as identity, read_ct integer not null default 0,
            enqueued_at timestamptz not null default now(), vt timestamptz not null, message jsonb
        )', queue
    );
    execute format(
        'create table if not exists pgmq.%I (
            msg_id bigint primary key, read_ct integer not null default 0, enqueued_at timestamptz not null default now(),
            archived_at timestamptz not null default now(), vt timestamptz not null, message jsonb
        )', archive
    );
    if not pgmq._belongs_to_pgmq(queue) then
        execute format('alter extension pgmq add table pgmq.%I', queue);
    end if;
    if not pgmq._belongs_to_pgmq(archive) then
        execute format('alter extension pgmq add table pgmq.%I', archive);
    end if;
    execute format('create index if not exists %I on pgmq.%I (vt)', queue || '_vt_idx', queue);
    insert into pgmq.meta (queue_name, is_partitioned, is_unlogged) values ("create".queue_name, false, false)
    on conflict do nothing;
end;
$$;

create function pgmq.drop_queue(queue_name text)
returns boolean
language plpgsql
as $$
declare
    relation text;
begin
    foreach relation in array array['q_' || lower(queue_name), 'a_' || lower(queue_name)] loop
        execute format('alter extension pgmq drop table pgmq.%I', relation);
        execute format('drop table pgmq.%I', relation);
    end loop;
    delete from pgmq.meta m where m.queue_name = drop_queue.queue_name;
    return true;
end;
$$;

create function pgmq.send(queue_name text, msg jsonb, delay integer default 0)
returns setof bigint
language plpgsql
as $$
begin
    return query execute format(
        'insert into pgmq.%I (vt, message) values (clock_timestamp() + make_interval(secs => $1), $2) returning msg_id',
        'q_' || lower(queue_name)
    ) using delay, msg;
end;
$$;

create function pgmq.read(queue_name text, vt integer, qty integer)
returns setof pgmq.message_record
language plpgsql
as $$
begin
    return query execute format(
        'with next as (
            select msg_id from pgmq.%1$I where vt <= clock_timestamp() order by msg_id limit $1 for update skip locked
        )
        update pgmq.%1$I m set vt = clock_timestamp() + make_interval(secs => $2), read_ct = read_ct + 1
        from next where m.msg_id = next.msg_id
        returning m.msg_id, m.read_ct, m.enqueued_at, m.vt, m.message',
        'q_' || lower(queue_name)
    ) using qty, vt;
end;
$$;

create function pgmq.archive(queue_name text, msg_id bigint)
returns boolean
language plpgsql
as $$
declare
    moved bigint;
begin
    execute format(
        'with gone as (delete from pgmq.%I q where q.msg_id = $1 returning msg_id, read_ct, enqueued_at, vt, message)
        insert into pgmq.%I (msg_id, read_ct, enqueued_at, vt, message) select * from gone',
        'q_' || lower(queue_name), 'a_' || lower(queue_name)
    ) using msg_id;
    get diagnostics moved = row_count;
    return moved > 0;
end;
$$;

-- The platform gives the members to the project's owner, who makes queues members of the extension.
do $$
declare
    routine regprocedure;
begin
    for routine in select oid from pg_catalog.pg_proc where pronamespace = 'pgmq'::regnamespace loop
        execute format('alter function %s owner to postgres', routine);
    end loop;
    alter table pgmq.meta owner to postgres;
    alter type pgmq.message_record owner to postgres;
end;
$$;

grant usage on schema pgmq to pg_monitor;
grant select on pgmq.meta to pg_monitor;
alter default privileges for role postgres in schema pgmq grant select on tables to pg_monitor;
alter default privileges for role postgres in schema pgmq grant select on sequences to pg_monitor;
