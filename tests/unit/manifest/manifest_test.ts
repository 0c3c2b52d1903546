import assert from "node:assert/strict";
import { BackupError } from "../../../supabase/functions/backup/errors.ts";
import {
  type Manifest,
  readManifest,
  writeManifest,
} from "../../../supabase/functions/backup/manifest/manifest.ts";

const MANIFEST: Manifest = {
  formatVersion: 1,
  name: "backup-20261122-030000",
  createdAt: "2026-11-22T03:01:30.000Z",
  snapshotAt: "2026-11-22 03:00:01.123456+00",
  run: { id: 7, trigger: "scheduled", attempt: 1 },
  server: { version: "15.8", database: "postgres" },
  archive: { format: "PGDMP 1.14", level: 4, entries: 12 },
  totals: { tables: 2, rows: 30, rawBytes: 3000, storedBytes: 1100, parts: 2 },
  tables: [
    { schema: "public", name: "plays", rows: 10, rawBytes: 1000, adler32: "0a1b2c3d" },
    { schema: "né", name: 'q"\n', rows: 20, rawBytes: 2000 },
  ],
  parts: [
    { name: "00000.dump", bytes: 100, sha256: "a".repeat(64) },
    { name: "00004.dump", bytes: 1000, sha256: "0".repeat(64) },
  ],
  warnings: [{ code: "kind_not_covered", object: "text search parser p", message: "not dumped" }],
};

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** MANIFEST with the value at a path such as `parts.0.bytes` set, or removed with undefined. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(MANIFEST);
  const keys = path.split(".");
  // deno-lint-ignore no-explicit-any
  const holder = keys.slice(0, -1).reduce((at: any, key) => at[key], copy);
  holder[keys.at(-1)!] = value;
  return copy;
}

function invalid(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof BackupError, String(error));
    assert.equal(error.code, "manifest_invalid");
    assert.match(error.message, message);
    return true;
  };
}

Deno.test("[writeManifest] and [readManifest] agree on every field", () => {
  assert.deepEqual(readManifest(writeManifest(MANIFEST)), MANIFEST);
});

Deno.test("[writeManifest] writes equal manifests as equal bytes, whatever the order of their keys", () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).reverse().map(([key, member]) => [key, reversed(member)]),
    );
  };
  const written = new TextDecoder().decode(writeManifest(reversed(MANIFEST) as Manifest));
  assert.equal(written, new TextDecoder().decode(writeManifest(MANIFEST)));
  assert.match(written, /^\{\n {2}"formatVersion": 1,\n {2}"name": "backup-20261122-030000",\n/);
});

Deno.test("[readManifest] leaves out members that a later release may add", () => {
  assert.deepEqual(readManifest(bytesOf({ ...MANIFEST, later: 1 })), MANIFEST);
});

Deno.test("[readManifest] refuses a newer format version, and says which release to use", () => {
  assert.throws(() => readManifest(bytesOf({ ...MANIFEST, formatVersion: 2 })), (error) => {
    assert.match((error as BackupError).hint, /newer release/);
    return invalid(/format version 2, and 1 is the newest/)(error);
  });
});

Deno.test("[readManifest] says what is not JSON, and what is not an object", () => {
  assert.throws(() => readManifest(bytesOf(MANIFEST).slice(0, 50)), invalid(/it is not valid JSON/));
  assert.throws(() => readManifest(new Uint8Array([0xff, 0xfe])), invalid(/it is not valid JSON/));
  assert.throws(() => readManifest(new Uint8Array()), invalid(/it is not valid JSON/));
  for (const value of [null, [], 3, "x"]) {
    assert.throws(() => readManifest(bytesOf(value)), invalid(/an object/));
  }
});

const SHA = "a SHA-256 in hexadecimal";
const WRONG: [path: string, value: unknown, message: string][] = [
  ["name", "../elsewhere", 'name is "../elsewhere", expected the name of a backup'],
  ["createdAt", "yesterday", 'createdAt is "yesterday", expected an instant'],
  ["snapshotAt", 1, "snapshotAt is 1, expected an instant"],
  ["run", null, "run is null, expected an object"],
  ["run.id", "7", 'run.id is "7", expected a number of things'],
  ["run.trigger", "timer", 'run.trigger is "timer", expected "scheduled" or "manual"'],
  ["server.version", undefined, "server.version is missing, expected a text"],
  ["archive.format", "PGDMP 1.15", 'archive.format is "PGDMP 1.15", expected "PGDMP 1.14" or "PGDMP 1.16"'],
  ["totals.rows", -1, "totals.rows is -1, expected a number of things"],
  ["totals.rawBytes", 1.5, "totals.rawBytes is 1.5, expected a number of things"],
  ["tables", {}, "tables is {}, expected a list"],
  ["tables.0.adler32", 3, "tables[0].adler32 is 3, expected an Adler-32 in hexadecimal"],
  ["tables.1.schema", 3, "tables[1].schema is 3, expected a text"],
  ["parts.0.name", "../0.dump", 'parts[0].name is "../0.dump", expected the name of a part'],
  ["parts.1.bytes", null, "parts[1].bytes is null, expected a number of things"],
  ["parts.1.sha256", "A".repeat(64), `parts[1].sha256 is "${"A".repeat(64)}", expected ${SHA}`],
  ["warnings.0.code", undefined, "warnings[0].code is missing, expected a text"],
  // What is said twice must be said the same.
  ["totals.tables", 3, "totals.tables is 3, but the list has 2"],
  ["totals.parts", 1, "totals.parts is 1, but the list has 2"],
  ["parts.1.bytes", 999, "totals.storedBytes is 1100, but the list has 1099"],
  ["totals.rows", 29, "totals.rows is 29, but the tables have 30"],
  [
    "parts.1.name",
    "00000.dump",
    'parts[1].name is "00000.dump", which does not come after the part before it',
  ],
];

for (const [path, value, message] of WRONG) {
  Deno.test(`[readManifest] says: ${message}`, () => {
    assert.throws(() => readManifest(bytesOf(changed(path, value))), (error) => {
      assert.ok((error as Error).message.includes(`is not valid: ${message}`), (error as Error).message);
      return invalid(/^manifest.json/)(error);
    });
  });
}

/** Manifests of earlier releases lack it. */
const OPTIONAL = "tables.0.adler32";

Deno.test("[readManifest] checks every field: none may be missing", () => {
  const paths = (value: unknown, at: string): string[] =>
    Object.entries(value as object).flatMap(([key, member]) => [
      ...(Array.isArray(value) ? [] : [`${at}${key}`]),
      ...(typeof member === "object" ? paths(member, `${at}${key}.`) : []),
    ]);
  const all = paths(MANIFEST, "").filter((path) => path !== OPTIONAL);
  assert.ok(all.length > 40);
  for (const path of all) {
    assert.throws(
      () => readManifest(bytesOf(changed(path, undefined))),
      invalid(/ is missing, expected /),
      path,
    );
  }
  assert.ok(!("adler32" in readManifest(bytesOf(changed(OPTIONAL, undefined))).tables[0]!));
});

Deno.test("[writeManifest] refuses what could not be read again", () => {
  assert.throws(
    () => writeManifest({ ...MANIFEST, parts: [] }),
    invalid(/totals.parts is 2, but the list has 0/),
  );
});
