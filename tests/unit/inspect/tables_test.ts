/** What an archive's entries say of tables: columns, keys, changes of definitions. */
import assert from "node:assert/strict";
import { entryOf } from "../../doubles/entry.ts";
import type { Entry } from "../../../supabase/functions/backup/entry.ts";
import { compareDefinitions } from "../../../supabase/functions/backup/inspect/compare_definitions.ts";
import { bytesOfValues, picker, valuesOfLine } from "../../../supabase/functions/backup/inspect/fields.ts";
import { tablesOf } from "../../../supabase/functions/backup/inspect/tables.ts";

function entry(desc: string, tag: string, more: Partial<Entry> = {}): Entry {
  return entryOf({ dumpId: 1, desc, tag, ...more });
}

Deno.test("[tables] a primary key is its table's, also where names begin alike", () => {
  const key = (name: string, table: string, list: string) =>
    `ALTER TABLE ONLY public."${table}"
    ADD CONSTRAINT "${name}" PRIMARY KEY (${list})`;
  const tables = tablesOf([
    entry("TABLE", "a", { dumpId: 10 }),
    entry("TABLE", "a b", { dumpId: 11 }),
    entry("TABLE", "no key", { dumpId: 12 }),
    entry("TABLE DATA", "a", { dumpId: 20, copy: "COPY public.a (id, x) FROM stdin;\n", dependencies: [10] }),
    entry("TABLE DATA", "a b", {
      dumpId: 21,
      copy: 'COPY public."a b" ("Id", "wi""th, comma) PRIMARY KEY (x") FROM stdin;\n',
      dependencies: [11],
    }),
    entry("TABLE DATA", "no key", {
      dumpId: 22,
      copy: 'COPY public."no key" (id) FROM stdin;\n',
      dependencies: [12],
    }),
    entry("CONSTRAINT", "a b b c", {
      definition: key("b c", "a b", '"wi""th, comma) PRIMARY KEY (x", "Id"'),
      dependencies: [11],
    }),
    entry("CONSTRAINT", "a b c", { definition: key("b c", "a", "id"), dependencies: [10] }),
    entry("CONSTRAINT", "no key u", {
      definition: "ALTER TABLE x ADD CONSTRAINT u UNIQUE (id)",
      dependencies: [12],
    }),
  ]);
  assert.deepEqual(tables.map(({ name, dumpId, key }) => [name, dumpId, key]), [
    ["a", 20, ["id"]],
    ["a b", 21, ['wi"th, comma) PRIMARY KEY (x', "Id"]],
    ["no key", 22, null],
  ]);
});

Deno.test("[tables] without a primary key a unique key is one, where nothing of it is null", () => {
  const definition = `CREATE TABLE public.t (
    a integer NOT NULL,
    "b, c" text DEFAULT 'x'::text NOT NULL,
    d text DEFAULT ' NOT NULL'::text
);`;
  const keyOf = (desc: string, definition_: string) => {
    const [table] = tablesOf([
      entry("TABLE", "t", { dumpId: 10, definition }),
      entry("TABLE DATA", "t", {
        dumpId: 20,
        copy: 'COPY public.t (a, "b, c", d) FROM stdin;\n',
        dependencies: [10],
      }),
      entry(desc, desc === "INDEX" ? "i" : "t u", { definition: definition_, dependencies: [10] }),
    ]);
    return table!.key;
  };
  const index = (rest: string) => keyOf("INDEX", `CREATE UNIQUE INDEX i ON public.t USING btree ${rest};\n`);
  assert.deepEqual(index('("b, c", a)'), ["b, c", "a"]);
  assert.deepEqual(keyOf("CONSTRAINT", "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT u UNIQUE (a);\n"), [
    "a",
  ]);
  assert.equal(index("(d)"), null);
  assert.equal(index("(a) WHERE (a > 1)"), null);
  assert.equal(index("(lower(a))"), null);
  assert.equal(keyOf("INDEX", "CREATE INDEX i ON public.t USING btree (a);\n"), null);
});

Deno.test("[tables] fields are picked in any order, and values come back from their escapes", () => {
  const line = new TextEncoder().encode("1\t\\N\ta\\tb\t\té");
  assert.deepEqual(valuesOfLine(line, 5), ["1", null, "a\tb", "", "é"]);
  const text = (indexes: number[]) => new TextDecoder().decode(picker(indexes)(line));
  assert.equal(text([0]), "1");
  assert.equal(text([0, 1]), "1\t\\N");
  assert.equal(text([4, 2, 3]), "é\ta\\tb\t");
  assert.equal(text([3]), "");
  assert.deepEqual(bytesOfValues(["é", "a\tb"]), picker([4, 2])(line));
  assert.deepEqual(valuesOfLine(new Uint8Array(), 1), [""]);
  assert.deepEqual(valuesOfLine(new Uint8Array(), 0), []);
});

Deno.test("[tables] definitions that were added, removed, changed or given to another owner", () => {
  const before = [
    entry("TABLE", "same", { definition: "CREATE TABLE same" }),
    entry("VIEW", "gone", { definition: "CREATE VIEW gone" }),
    entry("FUNCTION", "f()", { definition: "old" }),
    entry("TABLE", "given", { definition: "CREATE TABLE given" }),
    entry("ACL", "TABLE same", { definition: "GRANT a TO b;\nGRANT c TO d;" }),
    entry("TABLE DATA", "same", { definition: "x" }),
  ];
  const after = [
    entry("TABLE", "new", { definition: "CREATE TABLE new" }),
    entry("TABLE", "same", { definition: "CREATE TABLE same" }),
    entry("FUNCTION", "f()", { definition: "new" }),
    entry("TABLE", "given", { definition: "CREATE TABLE given", owner: "other" }),
    entry("ACL", "TABLE same", { definition: "GRANT c TO d;\nGRANT a TO b;" }),
  ];
  const schema = "public";
  assert.deepEqual(compareDefinitions(before, after), [
    { state: "added", type: "TABLE", schema, name: "new", before: null, after: "CREATE TABLE new" },
    { state: "changed", type: "FUNCTION", schema, name: "f()", before: "old", after: "new" },
    {
      state: "changed",
      type: "TABLE",
      schema,
      name: "given",
      before: "-- Owner: postgres\nCREATE TABLE given",
      after: "-- Owner: other\nCREATE TABLE given",
    },
    { state: "removed", type: "VIEW", schema, name: "gone", before: "CREATE VIEW gone", after: null },
  ]);
});
