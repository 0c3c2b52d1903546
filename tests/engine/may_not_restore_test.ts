/** What a server may refuse when it is restored, told when the backup is made: by the catalogs alone. */
import assert from "node:assert/strict";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../supabase/functions/backup/postgres/snapshot.ts";
import { readDump } from "../../supabase/functions/backup/toc/dump.ts";
import { startScene } from "./scene.ts";

const DOUBTFUL = `
  create table public.allowed_domains (name text primary key);
  create function public.is_allowed(mail text) returns boolean language plpgsql as $$
  begin return exists (select from allowed_domains where mail like '%@' || name); end $$;
  create table public.members (id int primary key, mail text constraint mail_is_allowed check (public.is_allowed(mail)));
  create table public.offers (
    id int primary key, until timestamptz constraint later check (until > now()), day date constraint by_day check (day <= current_date));
  create domain public.mine as text constraint mine_only check (value <> current_user);
  create function public.quarter(n int) returns int language sql immutable as $$ select n / 4 $$;
  create function public.half(n int) returns int language sql immutable as $$ select public.quarter(n) * 2 $$;
  create table public.sums (n int, h int generated always as (public.half(n)) stored);
  create index by_half on public.sums (public.half(n));
  -- As a body may be after its table exists.
  create or replace function public.half(n int) returns int language plpgsql immutable as $$ begin return quarter(n) * 2; end $$;
  create table public.c (id int primary key, n int);
  alter table public.c add constraint c_pos check (n > 0) not valid;
  create table public.b (c_id int);
  alter table public.b add constraint b_c foreign key (c_id) references public.c not valid;
  create extension file_fdw;
  create server here foreign data wrapper file_fdw;
  create foreign table public.far (a int) server here options (filename '/dev/null');
  create view public.over_far as select * from public.far;
  create table public.events (at date not null) partition by range (at);
  create table public.events_1 partition of public.events for values from ('2025-01-01') to ('2026-01-01');
  create index events_at on only public.events (at);
  create table public.twice (n int);
  insert into public.twice values (1), (1);
  create function public.no_drop() returns event_trigger language plpgsql as $$ begin raise exception 'no'; end $$;
  create event trigger forbid on sql_drop execute function public.no_drop();
`;

/** The same kinds, and nothing wrong with them. */
const FINE = `
  create function public.log_drop() returns event_trigger language plpgsql as $$ begin raise notice 'dropped'; end $$;
  create event trigger tell on sql_drop execute function public.log_drop();
  create function public.third(n int) returns int language sql immutable set search_path = '' as $$ select public.half(n) $$;
  create function public.half(n int) returns int language sql immutable as $$ select n / 2 $$;
  create table public.t (
    id int primary key check (id > 0), name text check (char_length(name) < 10 and lower(name) ~ '^a'),
    third int generated always as (public.third(id)) stored, at timestamptz default now() check (at > '2020-01-01'::timestamptz));
  create index on public.t (lower(name)) where id > 1;
  create index on public.t (public.third(id));
  create materialized view public.m as select * from public.t;
  alter table public.t add constraint same foreign key (id) references public.t;
`;

Deno.test("what may not restore is told with names when the backup is made", async (t) => {
  const scene = await startScene();
  const told = async () => {
    const session = await openSession(scene.cluster.url("source"));
    try {
      await beginSnapshot(session);
      const { warnings } = await readDump(session, { lockTimeoutMs: 1000 });
      return warnings.filter(({ code }) => code === "may_not_restore").map(({ object, message }) =>
        `${object}: ${message}`
      );
    } finally {
      await session.close();
    }
  };
  try {
    await t.step("each kind", async () => {
      await scene.backUp(DOUBTFUL);
      const source = await openSession(scene.cluster.url("source"));
      await source.sql.unsafe("create unique index concurrently twice_n on public.twice (n)").catch(() => {});
      await source.close();
      assert.deepEqual(await told(), [
        "column h of table public.sums: it calls a function whose names are found by search_path only, which is empty while a backup is restored (function public.half(integer))",
        "constraint b_c on table public.b: it is NOT VALID: rows that are there may violate it",
        "constraint by_day on table public.offers: it calls what is not immutable: rows that were right may be refused when they come back",
        "constraint c_pos on table public.c: it is NOT VALID: rows that are there may violate it",
        "constraint later on table public.offers: it calls what is not immutable: rows that were right may be refused when they come back",
        "constraint mail_is_allowed on table public.members: it calls what is not immutable: rows that were right may be refused when they come back",
        "constraint mail_is_allowed on table public.members: it calls a function that reads tables, which may be empty, or not be found, while rows come back (function public.is_allowed(text))",
        "constraint mine_only: it calls what is not immutable: rows that were right may be refused when they come back",
        "event trigger forbid: its function may raise an error, which refuses what a restore into this database does (function public.no_drop())",
        "index public.by_half: it calls a function whose names are found by search_path only, which is empty while a backup is restored (function public.half(integer))",
        "index public.events_at: it is not valid: a partition has no part of it",
        "index public.twice_n: it is not valid, and therefore not in the backup; reindex or drop it",
      ]);
    });
    await t.step("a materialized view over a foreign table, through a view", async () => {
      await scene.backUp(DOUBTFUL);
      const source = await openSession(scene.cluster.url("source"));
      await source.sql.unsafe("create materialized view public.m as select * from public.over_far");
      await source.close();
      assert.deepEqual((await told()).filter((text) => /materialized/.test(text)), [
        "materialized view public.m: it reads a foreign table: its rows come back only while the foreign server answers (foreign table public.far)",
      ]);
    });
    await t.step("nothing where nothing is doubtful", async () => {
      await scene.backUp(FINE.replace(/(.*third\(n int\).*\n)(.*half.*\n)/, "$2$1"));
      assert.deepEqual(await told(), []);
    });
  } finally {
    await scene.stop();
  }
});
