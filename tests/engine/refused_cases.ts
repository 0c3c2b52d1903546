/** What servers refuse of a backup, and what comes back all the same: each kind with cases of its own. */
import assert from "node:assert/strict";
import type { Account } from "../../supabase/functions/backup/restore/account.ts";
import { startScene } from "./scene.ts";

interface Case {
  name: string;
  setup: string;
  /** Queries of the target, and what their first column says. */
  asks: Record<string, unknown>;
  changed?: RegExp[];
  leftOut?: RegExp[];
  /** Tables that have rows aside, with their number. */
  aside?: Record<string, number>;
  /** With several connections as well. */
  parallel?: boolean;
  /** The last version whose servers can have it: later ones make views and indexes under a search_path of their own. */
  until?: number;
  /** The target is as the source, as pg_dump has it. */
  equal?: boolean;
  /** After this, what is told to mend it is done; what the queries of `asks` in it say then. */
  mended?: { by: string; asks: Record<string, unknown> };
}

const CASES: readonly Case[] = [
  {
    name: "a check that reads another table, by a name without a schema",
    parallel: true,
    setup: `
      create table public.allowed_domains (name text primary key);
      insert into public.allowed_domains values ('example.org');
      create function public.is_allowed(mail text) returns boolean language plpgsql as $$
      begin return exists (select from allowed_domains where mail like '%@' || name); end $$;
      create table public.a_members (id int primary key, mail text constraint mail_is_allowed check (public.is_allowed(mail)));
      insert into public.a_members values (1, 'a@example.org'), (2, 'b@example.org');
      create table public.z_unrelated (id int primary key);
      insert into public.z_unrelated select generate_series(1, 100);`,
    asks: { "select count(*)::int from a_members": 2, "select count(*)::int from z_unrelated": 100 },
    equal: true,
  },
  {
    name: "a check that rows of today do not keep any more",
    setup: `
      create table public.a_limits (most int); insert into public.a_limits values (10);
      create function public.below(n int) returns boolean language sql as 'select n <= (select max(most) from public.a_limits)';
      create table public.amounts (n int constraint below_limit check (public.below(n)), constraint plain check (n > 0));
      insert into public.amounts values (5), (9);
      update public.a_limits set most = 6;`,
    asks: {
      "select array_agg(n order by n)::text from amounts": "{5,9}",
      "select convalidated from pg_constraint where conname = 'below_limit'": false,
      "select convalidated from pg_constraint where conname = 'plain'": true,
    },
    changed: [
      /CHECK CONSTRAINT public\.amounts below_limit.*NOT VALID.*select \* from public\.amounts where not.*validate constraint below_limit/s,
    ],
  },
  {
    name: "a check of a domain that rows do not keep any more",
    setup: `
      create table public.words (w text); insert into public.words values ('old');
      create function public.known(v text) returns boolean language sql as 'select exists (select from public.words where w = v)';
      create domain public.word as text constraint is_known check (public.known(value));
      create table public.texts (w public.word); insert into public.texts values ('old');
      update public.words set w = 'new';`,
    asks: {
      "select w::text from texts": "old",
      "select convalidated from pg_constraint where conname = 'is_known'": false,
    },
    changed: [/CHECK CONSTRAINT public\.word is_known/],
  },
  {
    name: "a check of a partitioned table that rows do not keep any more",
    setup: `
      create table public.limits (most int); insert into public.limits values (10);
      create function public.below(n int) returns boolean language sql as 'select n <= (select max(most) from public.limits)';
      create table public.parts (n int constraint below_limit check (public.below(n))) partition by range (n);
      create table public.parts_1 partition of public.parts for values from (0) to (7);
      create table public.parts_2 partition of public.parts for values from (7) to (99);
      insert into public.parts values (5), (9);
      update public.limits set most = 6;`,
    asks: {
      "select array_agg(n order by n)::text from parts": "{5,9}",
      "select count(*)::int from pg_constraint where conname = 'below_limit'": 3,
    },
    changed: [/CHECK CONSTRAINT public\.parts below_limit/],
  },
  {
    name: "orphans behind a foreign key",
    parallel: true,
    setup: `
      create table public.users (id int primary key);
      create table public.orders (id int primary key, user_id int references public.users on delete cascade);
      insert into public.users values (1);
      insert into public.orders values (1, 1);
      set session_replication_role = replica;
      insert into public.orders values (2, 999), (3, 999);
      reset session_replication_role;
      create table public.unrelated (id int primary key, v text);
      insert into public.unrelated select n, 'x' from generate_series(1, 100) n;`,
    asks: {
      "select count(*)::int from orders": 3,
      "select convalidated from pg_constraint where conname = 'orders_user_id_fkey'": false,
      "select count(*)::int from unrelated": 100,
    },
    changed: [
      /FK CONSTRAINT public\.orders orders_user_id_fkey.*Key \(user_id\)=\(999\).*alter table public\.orders validate constraint orders_user_id_fkey/s,
    ],
    mended: {
      by: "delete from orders where user_id = 999",
      asks: { "select convalidated from pg_constraint where conname = 'orders_user_id_fkey'": true },
    },
  },
  {
    name:
      "orphans behind a foreign key of a partitioned table, which cannot be NOT VALID before PostgreSQL 18",
    parallel: true,
    setup: `
      create table public.users (id int primary key);
      create table public."the orders" (id int, at int, user_id int constraint "of a user" references public.users)
        partition by range (at);
      create table public.orders_1 partition of public."the orders" for values from (0) to (10);
      create table public.orders_2 partition of public."the orders" for values from (10) to (20) partition by range (id);
      create table public.orders_2_1 partition of public.orders_2 for values from (0) to (10);
      insert into public.users values (1);
      insert into public."the orders" values (1, 1, 1);
      set session_replication_role = replica;
      insert into public."the orders" values (2, 2, 999), (3, 13, 999);
      reset session_replication_role;`,
    asks: {
      'select count(*)::int from "the orders"': 3,
      "select bool_or(convalidated) from pg_constraint where contype = 'f' and conrelid::regclass::text ~ '_1$'":
        false,
    },
    changed: [
      /FK CONSTRAINT public\.the orders of a user; .*NOT VALID.*Key \(user_id\)=\(999\).*select c\.\* from (public\.)?"the orders" c where c\.user_id is not null and not exists/s,
    ],
    mended: {
      by: 'delete from "the orders" where user_id = 999',
      asks: {
        "select bool_and(convalidated) from pg_constraint where contype = 'f'": true,
        "select count(*)::int from pg_constraint where contype = 'f'": 4,
      },
    },
  },
  {
    name: "functions that find what they need in their own schema, or by the search_path of the database",
    parallel: true,
    setup: `
      create schema app;
      create schema "Other one";
      set search_path = app, "Other one", public;
      create table app.words (w text); insert into app.words values ('old');
      create table "Other one".limits (most int); insert into "Other one".limits values (10);
      create function app.known(v text) returns boolean language sql as 'select exists (select from words where w = v)';
      create function app.a_half(n int) returns int language sql immutable as 'select n / 2';
      create function app.half(n int) returns int language sql immutable as 'select a_half(n) + 0';
      create function public.below(n int) returns boolean language plpgsql as $$
      begin return n <= (select max(most) from limits); end $$;
      create domain app.word as text constraint is_known check (app.known(value));
      create table app.texts (w app.word, again text check (app.known(again)));
      insert into app.texts values ('old', 'old');
      create table app.sums (n int, h int generated always as (app.half(n)) stored);
      insert into app.sums (n) values (4);
      create table public.amounts (n int check (public.below(n)));
      insert into public.amounts values (5);
      do $$ begin execute format('alter database %I set search_path = "$user", "Other one", public', current_database()); end $$;`,
    asks: {
      "select w || again from app.texts": "oldold",
      "select h from app.sums": 2,
      "select n from amounts": 5,
    },
    equal: true,
  },
  {
    name: "a materialized view that finds its table in its own schema",
    until: 16,
    setup: `
      create schema app;
      set search_path = app;
      create table app.words (w text); insert into app.words values ('old');
      create function app.latest() returns setof text language sql stable as 'select w from words';
      create materialized view app.newest as select * from app.latest();`,
    asks: { "select count(*)::int from app.newest": 1 },
    equal: true,
  },
  {
    name: "orphans behind a key of several columns, with names that hurt",
    setup: `
      create table public."The Plays" ("a b" int, "C" text, primary key ("a b", "C"));
      create table public."Shows" (x int, "y""z" text,
        constraint "of, a play" foreign key (x, "y""z") references public."The Plays");
      set session_replication_role = replica;
      insert into public."Shows" values (1, 'gone'), (null, 'fine');
      reset session_replication_role;`,
    asks: {
      'select count(*)::int from "Shows"': 2,
      "select convalidated from pg_constraint where contype = 'f'": false,
    },
    changed: [/of, a play/],
  },
  {
    name: "materialized views that find their tables by the database's search_path",
    until: 16,
    setup: `
      create table public.articles (id int primary key, body text);
      insert into public.articles select n, 'word' || n || ' common' from generate_series(1, 20) n;
      create materialized view public.words as
        select word, ndoc from ts_stat('select to_tsvector(''simple'', body) from articles');
      create function public.most_read() returns setof int language sql stable as 'select id from articles where id < 4';
      create materialized view public.favourites as select count(*) from public.most_read();`,
    asks: { "select count(*)::int from words": 21, "select count::int from favourites": 3 },
    equal: true,
  },
  {
    name: "a materialized view that cannot be computed any more, and one that reads it",
    setup: `
      create table public.numbers (n int); insert into public.numbers values (1);
      create materialized view public.shares as select 10 / n as share from public.numbers;
      create materialized view public.above as select share from public.shares;
      update public.numbers set n = 0;`,
    asks: {
      "select n from numbers": 0,
      "select relispopulated from pg_class where relname = 'shares'": false,
    },
    changed: [
      /MATERIALIZED VIEW DATA public\.shares.*division by zero.*REFRESH MATERIALIZED VIEW public\.shares/s,
      /public\.above/,
    ],
  },
  {
    name: "a generated column whose function is inlined",
    setup: `
      create function public.short(bytes bytea) returns text language sql immutable as $$ select encode(bytes, 'hex') $$;
      create function public.short(id uuid) returns text language sql immutable as $$ select short(uuid_send(id)) $$;
      create table public.things (id uuid primary key default gen_random_uuid(),
        code text generated always as (public.short(id)) stored);
      insert into public.things (id) select gen_random_uuid() from generate_series(1, 5);
      create table public.parts (id int primary key, thing uuid references public.things);
      insert into public.parts select row_number() over (), id from public.things;`,
    asks: { "select count(code)::int from things": 5, "select count(*)::int from parts": 5 },
    equal: true,
  },
  {
    name: "an index over a function that names another without a schema",
    until: 16,
    setup: `
      create function public.inner_lower(t text) returns text language sql immutable as 'select lower(t)';
      create function public.outer_lower(t text) returns text language plpgsql immutable as 'begin return inner_lower(t); end';
      create table public.titles (t text);
      insert into public.titles values ('Hamlet');
      create unique index titles_lower on public.titles (public.outer_lower(t));`,
    asks: {
      "select count(*)::int from titles": 1,
      "select indisvalid from pg_index where indrelid = 'titles'::regclass": true,
    },
    equal: true,
  },
  {
    name: "a key over rows that are not unique, and what needs it",
    parallel: true,
    setup: `
      create table public.seats (row_number int, seat int, constraint seats_key primary key (row_number, seat));
      create table public.tickets (r int, s int, foreign key (r, s) references public.seats);
      insert into public.seats values (1, 1), (1, 2);
      insert into public.tickets values (1, 1);
      -- As an index that was damaged by another version of the C library leaves it.
      update pg_index set indisunique = false, indisprimary = false, indimmediate = false, indisready = false, indisvalid = false
        where indrelid = 'public.seats'::regclass;
      update public.seats set seat = 1;
      update pg_index set indisunique = true, indisprimary = true, indimmediate = true, indisready = true, indisvalid = true
        where indrelid = 'public.seats'::regclass;`,
    asks: { "select count(*)::int from seats": 2, "select count(*)::int from tickets": 1 },
    leftOut: [
      /CONSTRAINT public\.seats seats_key.*is duplicated.*select row_number, seat, count\(\*\) from public\.seats group by row_number, seat having/s,
      /FK CONSTRAINT public\.tickets .*CONSTRAINT public\.seats seats_key is missing/s,
    ],
  },
  {
    name: "text whose bytes are no text",
    parallel: true,
    setup: `
      create cast (bytea as text) without function;
      create table public.notes (id int primary key, note text);
      insert into public.notes select n, case when n in (1, 4000, 5000) then '\\xff20'::bytea::text else 'note ' || n end
        from generate_series(1, 5000) n;
      create table public.plain (id int); insert into public.plain values (1);`,
    asks: { "select count(*)::int from notes": 4997, "select count(*)::int from plain": 1 },
    aside: { "public.notes": 3 },
  },
  {
    name: "an extension that the server does not have, and what needs it",
    setup: `
      create extension citext;
      create table public.people (id int primary key, mail citext);
      create view public.mails as select mail from public.people;
      create table public.plain (id int); insert into public.plain values (1);
      -- A name that no server knows.
      update pg_extension set extname = 'nowhere_to_be_had' where extname = 'citext';`,
    asks: { "select count(*)::int from plain": 1, "select to_regclass('public.people') is null": true },
    leftOut: [
      /^EXTENSION nowhere_to_be_had; .*not available/,
      /^COMMENT EXTENSION nowhere_to_be_had; /,
      /^TABLE public\.people; EXTENSION nowhere_to_be_had is missing/,
      /^VIEW public\.mails; TABLE public\.people is missing/,
      /^TABLE DATA public\.people; /,
      /^CONSTRAINT public\.people people_pkey; /,
    ],
  },
  {
    name: "a table whose check calls what the server does not have",
    setup: `
      create function public.fits(n int) returns boolean language sql as 'select n > 0';
      create table public.amounts (n int, constraint fits check (public.fits(n)), constraint small check (n < 100));
      insert into public.amounts values (5);
      -- The archive names a language that is not there.
      update pg_proc set prolang = (select oid from pg_language where lanname = 'internal'), prosrc = 'no such function'
        where proname = 'fits';
`,
    asks: {
      "select n from amounts": 5,
      "select string_agg(conname, ',') from pg_constraint where conrelid = 'amounts'::regclass": "small",
    },
    leftOut: [/^FUNCTION public\.fits/, /^CHECK CONSTRAINT public\.amounts fits/],
  },
  {
    name: "a generated column and a default whose functions are not what they were",
    setup: `
      create function public.code(n int) returns text language plpgsql immutable as $$ begin return 'c' || n; end $$;
      create function public.word() returns text language sql as $$ select 'a, b'::text $$;
      create table public.things (
        id int primary key,
        "the code" text generated always as (public.code(id)) stored not null,
        label text default public.word() || ')' not null,
        note text default 'x, (y' collate "C",
        constraint small check (id < 100)
      );
      insert into public.things values (1), (2);
      create view public.labels as select label from public.things;
      -- The server would not take the expression today, nor the function at all.
      alter function public.code(int) volatile;
      update pg_proc set prolang = (select oid from pg_language where lanname = 'internal'), prosrc = 'no such function'
        where proname = 'word';`,
    asks: {
      "select string_agg(label || note, ' ') from things": "a, b)x, (y a, b)x, (y",
      "select count(*)::int from labels": 2,
      "select convalidated from pg_constraint where conname = 'small'": true,
      "select column_default from information_schema.columns where column_name = 'note'": "'x, (y'::text",
    },
    changed: [
      /^TABLE public\.things; ordinary columns.*"the code".*drop column "the code".*add column "the code" text GENERATED/s,
    ],
    leftOut: [/^FUNCTION public\.word\(\)/, /^DEFAULT public\.things label.*set default \(public\.word\(\)/s],
  },
  {
    name: "rows that belong to another partition than they lie in",
    setup: `
      create function public.part(n int) returns int language sql immutable as 'select n % 2';
      create table public.shows (n int, v text) partition by list (public.part(n));
      create table public.shows_0 partition of public.shows for values in (0);
      create table public.shows_1 partition of public.shows for values in (1);
      insert into public.shows select n, 'show ' || n from generate_series(1, 1000) n;
      create or replace function public.part(n int) returns int language sql immutable as 'select (n + 1) % 2';`,
    asks: {
      "select count(*)::int from shows": 1000,
      "select count(*)::int from only shows_0 where n % 2 = 1": 500,
    },
    changed: [/^TABLE DATA public\.shows_0; the rows went in through/, /^TABLE DATA public\.shows_1; /],
  },
  {
    name: "an index over a function that may not be in one today",
    setup: `
      create function public.code(n int) returns text language plpgsql immutable as $$ begin return 'c' || n; end $$;
      create table public.things (id int primary key);
      insert into public.things values (1), (2);
      create index things_code on public.things (public.code(id));
      alter function public.code(int) volatile;`,
    asks: { "select count(*)::int from things": 2 },
    leftOut: [
      /^INDEX public\.things_code; functions in index expression must be marked IMMUTABLE.*CREATE INDEX things_code/s,
    ],
  },
  {
    name: "a restrictive policy that cannot come back lets nobody see more rows, and is told",
    setup: `
      create table public.notes (id int primary key, owner text);
      insert into public.notes values (1, 'a'), (2, 'b');
      alter table public.notes enable row level security;
      create function public.mine(t text) returns boolean language sql as 'select true';
      create policy all_of_them on public.notes using (true);
      create policy "only mine" on public.notes as restrictive for select using (public.mine(owner));
      grant select on public.notes to public;
      update pg_proc set prolang = (select oid from pg_language where lanname = 'internal'), prosrc = 'no such function'
        where proname = 'mine';`,
    asks: {
      "select count(*)::int from notes": 2,
      [
        `select string_agg(concat_ws(' ', polname, polpermissive, polcmd, pg_get_expr(polqual, polrelid)), ', ' order by polname)
        from pg_policy`
      ]: "all_of_them t * true, only mine f * false",
      "select has_table_privilege('pg_monitor', 'public.notes', 'select')": true,
    },
    changed: [
      /POLICY public\.notes only mine; .*keeps everybody out.*drop policy "only mine" on public\.notes;.*CREATE POLICY "only mine"/s,
    ],
    leftOut: [/^FUNCTION public\.mine/],
  },
  {
    name: "rows for which a generated column's function raises, in the function's own words",
    parallel: true,
    setup: `
      create table public.allowed (n int primary key);
      create function public.share(n int) returns int language plpgsql immutable as $$
        begin return 100 / n; end $$;
      create table public.cakes (id int primary key, n int, each int generated always as (public.share(n)) stored);
      insert into public.cakes (id, n) select g, 1 + g % 5 from generate_series(1, 2000) g;
      alter table public.cakes disable trigger all;
      -- As if rows were older than the function.
      create or replace function public.share(n int) returns int language plpgsql immutable as $$
        begin return 100 / (n - 1); end $$;
      delete from public.cakes where n = 1 and id > 10;`,
    asks: { "select count(*)::int from cakes": 1600 },
    aside: { "public.cakes": 2 },
  },
  {
    name: "an exclusion constraint that rows break",
    setup: `
      create table public.stays (during int4range, constraint apart exclude using gist (during with &&));
      insert into public.stays values ('[1,5)'), ('[7,9)');
      update pg_index set indisready = false, indisvalid = false, indislive = false where indrelid = 'public.stays'::regclass;
      update pg_class set relhasindex = false where oid = 'public.stays'::regclass;
      update public.stays set during = '[4,8)' where lower(during) = 7;
      update pg_class set relhasindex = true where oid = 'public.stays'::regclass;
      update pg_index set indisready = true, indisvalid = true, indislive = true where indrelid = 'public.stays'::regclass;`,
    asks: { "select count(*)::int from stays": 2 },
    leftOut: [/^CONSTRAINT public\.stays apart; .*conflicts with.*EXCLUDE USING gist/s],
  },
];

/** Tries all cases on one server, the machine's own without `binDir`; each is a step. */
export async function tryRefused(test: Deno.TestContext, binDir?: string): Promise<void> {
  const scene = await startScene({ allow_system_table_mods: "on" }, binDir);
  try {
    const version = await scene.version();
    const both = CASES.filter(({ until = Infinity }) => version <= until).flatMap((one) =>
      one.parallel ? [{ ...one, jobs: 1 }, { ...one, jobs: 3 }] : [{ ...one, jobs: 1 }]
    );
    for (
      const { name, setup, asks, changed = [], leftOut = [], aside = {}, equal = false, mended, jobs } of both
    ) {
      await test.step(jobs === 1 ? name : `${name}, on several connections`, async () => {
        const account = await scene.trip(setup, { jobs });
        assert.deepEqual(await answers(Object.keys(asks)), asks, JSON.stringify(account, null, 2));
        matchAll(account, "changed", changed);
        matchAll(account, "leftOut", leftOut);
        assert.deepEqual(Object.fromEntries(account.aside.map(({ table, rows }) => [table, rows])), aside);
        const exceptions = changed.length + leftOut.length + Object.keys(aside).length;
        assert.equal(account.outcome, exceptions === 0 ? "restored" : "restored_with_exceptions");
        if (mended) {
          await scene.target.sql.unsafe(mended.by);
          for (const sql of account.changed.flatMap(({ mend = [] }) => mend)) {
            await scene.target.sql.unsafe(sql);
          }
          assert.deepEqual(await answers(Object.keys(mended.asks)), mended.asks);
        }
        if (!equal) return;
        const [source, target] = await scene.dumps();
        assert.equal(target, source);
      });
    }
  } finally {
    await scene.stop();
  }

  async function answers(queries: string[]): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const sql of queries) found[sql] = await scene.ask(sql);
    return found;
  }
}

function matchAll(account: Account, list: "changed" | "leftOut", patterns: RegExp[]): void {
  const items = account[list].map((item) => Object.values(item).flat().join("; "));
  assert.equal(items.length, patterns.length, JSON.stringify(account, null, 2));
  for (const pattern of patterns) {
    assert.ok(items.some((item) => pattern.test(item)), `${pattern} of ${items.join("\n")}`);
  }
}
