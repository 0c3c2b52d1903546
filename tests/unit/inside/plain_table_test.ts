/**
 * Copies of tables that run nobody's code, rows by key, and what a drill leaves out: pure, on entries as archives have
 * them.
 */
import assert from "node:assert/strict";
import { entryOf } from "../../doubles/entry.ts";
import type { Entry } from "../../../supabase/functions/backup/entry.ts";
import { foreignIn } from "../../../supabase/functions/backup/inside/foreign_entries.ts";
import { KeyFilter } from "../../../supabase/functions/backup/inside/key_filter.ts";
import {
  copyInto,
  createCopy,
  createKey,
  plainTable,
} from "../../../supabase/functions/backup/inside/plain_table.ts";

function entry(dumpId: number, desc: string, tag: string, rest: Partial<Entry>): Entry {
  return entryOf({ dumpId, desc, tag, ...rest });
}

const DEFINITION = `CREATE TABLE public.orders (
    id bigint NOT NULL,
    "the ""type" character varying(40) DEFAULT 'a, b'::character varying COLLATE "C" NOT NULL,
    state public.state DEFAULT 'open'::public.state,
    at timestamp(3) with time zone DEFAULT now(),
    n numeric(10,2)[],
    "integer" public."integer",
    twice bigint GENERATED ALWAYS AS ((id * 2)) STORED,
    span interval day to second(3),
    CONSTRAINT checked CHECK (public.evil(id))
);
`;

const ENTRIES = [
  entry(1, "TABLE", "orders", { definition: DEFINITION }),
  entry(2, "TABLE DATA", "orders", {
    section: "data",
    dependencies: [1],
    copy: 'COPY public.orders (id, "the ""type", state, at, n, "integer", span) FROM stdin;\n',
    hasData: true,
  }),
  entry(3, "CONSTRAINT", "orders orders_pkey", {
    section: "post-data",
    dependencies: [1],
    definition:
      'ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT orders_pkey PRIMARY KEY (id, "the ""type");\n',
  }),
  entry(4, "VIEW", "seen", { definition: "CREATE VIEW public.seen AS SELECT 1;\n" }),
];

Deno.test("[plainTable] keeps the server's own types, and has text for all others", () => {
  const table = plainTable(ENTRIES, "public", "orders");
  assert.equal(
    createCopy(table, 'x"y'),
    'create table "x""y"."orders" ("id" bigint, "the ""type" character varying(40), "state" text, ' +
      '"at" timestamp(3) with time zone, "n" numeric(10,2)[], "integer" text, "span" interval day to second(3))',
  );
  assert.deepEqual(table.columns.map(({ wasType }) => wasType), [
    null,
    null,
    "public.state",
    null,
    null,
    'public."integer"',
    null,
  ]);
  assert.equal(createKey(table, "x"), 'alter table "x"."orders" add primary key ("id", "the ""type")');
  assert.equal(
    copyInto(table, "x", ENTRIES[1]!),
    'copy "x"."orders" ("id", "the ""type", "state", "at", "n", "integer", "span") from stdin',
  );
});

Deno.test("[plainTable] refuses what has no rows, and says what it is", () => {
  assert.throws(() => plainTable(ENTRIES, "public", "seen"), /public\.seen is a view/);
  assert.throws(() => plainTable(ENTRIES, "public", "missing"), /has no table "public\.missing"/);
  assert.throws(() => plainTable(ENTRIES.slice(0, 1), "public", "orders"), /has no rows of public\.orders/);
});

Deno.test("[KeyFilter] keeps the rows with the keys, and knows which it found", () => {
  const text = new TextEncoder().encode("1\ta\\tb\topen\n2\tc\tpaid\n3\tc\topen\n");
  const found: string[] = [];
  const table = plainTable(ENTRIES, "public", "orders");
  const filter = new KeyFilter(table, ['["1", "a\\tb"]', '["3","c"]', '["9","c"]'], found);
  assert.equal(new TextDecoder().decode(filter.forEntry(ENTRIES[1]!)(text)), "1\ta\\tb\topen\n3\tc\topen\n");
  assert.deepEqual(found, ['["1", "a\\tb"]', '["3","c"]']);
  assert.throws(() => new KeyFilter(table, ["1"], []), /"1" is not a key of public\.orders/);
  assert.throws(() => new KeyFilter({ ...table, key: [] }, ["1"], []), /has no primary key/);
});

Deno.test("[foreignIn] leaves out what others own, what is in their schemas, and what needs it", () => {
  const entries = [
    entry(1, "SCHEMA", "tenant", { owner: "tenant", namespace: null }),
    entry(2, "TABLE", "a", { owner: "postgres", namespace: "tenant" }),
    entry(3, "FUNCTION", "f()", { owner: "tenant" }),
    entry(4, "TABLE", "b", { dependencies: [3] }),
    entry(5, "TABLE DATA", "b", { dependencies: [4] }),
    entry(6, "TABLE", "c", { owner: "" }),
    entry(7, "TABLE", "d", {}),
  ];
  assert.deepEqual(foreignIn(entries, new Set(["postgres"])).map(({ dumpId }) => dumpId), [1, 2, 3, 4, 5]);
});
