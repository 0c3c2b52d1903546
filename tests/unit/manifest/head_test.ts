import assert from "node:assert/strict";
import { writeHead } from "../../../supabase/functions/backup/archive/header.ts";
import { BackupError } from "../../../supabase/functions/backup/errors.ts";
import { checkHead } from "../../../supabase/functions/backup/manifest/head.ts";
import type { Entry } from "../../../supabase/functions/backup/entry.ts";

function head(...dumpIds: number[]): Uint8Array {
  return headOf(15, dumpIds);
}

function headOf(major: number, dumpIds: number[]): Uint8Array {
  const entries = dumpIds.map((dumpId): Entry => ({
    dumpId,
    tableoid: 1259,
    oid: 16384,
    tag: "t",
    desc: "TABLE",
    section: "pre-data",
    definition: "CREATE TABLE public.t ();\n",
    drop: "",
    copy: null,
    namespace: "public",
    tablespace: "",
    tableam: "heap",
    owner: "postgres",
    dependencies: [],
    hasData: false,
  }));
  const dump = { database: "d", serverVersion: `${major}.8`, serverVersionNum: major * 10_000 + 8, entries };
  return writeHead({ ...dump, data: [], warnings: [] } as Parameters<typeof writeHead>[0], {
    createdAt: new Date(),
    level: 4,
  });
}

function failed(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof BackupError, String(error));
    assert.equal(error.code, "verification_failed");
    assert.match(error.message, message);
    return true;
  };
}

Deno.test("[checkHead] takes a head as it was written, whole and in parts", async () => {
  const bytes = head(1, 2, 3);
  await checkHead(bytes, 3);
  await checkHead([bytes.slice(0, 40), bytes.slice(40)], 3);
});

Deno.test("[checkHead] takes the head of every server that is known", async () => {
  for (const major of [14, 15, 16, 17, 18]) await checkHead(headOf(major, [1, 2, 3]), 3);
});

Deno.test("[checkHead] finds every way in which a head can be wrong", async () => {
  const bytes = head(1, 2, 3);
  await assert.rejects(() => checkHead(bytes, 4), failed(/it has 3 entries instead of 4/));
  await assert.rejects(() => checkHead(head(1, 2, 2), 3), failed(/two entries share a dump id/));
  await assert.rejects(() => checkHead(bytes.slice(0, -1), 3), failed(/ends at byte/));
  await assert.rejects(() => checkHead([bytes, new Uint8Array(1)], 3), failed(/bytes follow it/));
  await assert.rejects(() => checkHead(bytes.slice(1), 3), failed(/does not begin with PGDMP/));
  const spoilt = bytes.slice();
  spoilt.fill(0xff, spoilt.indexOf("C".charCodeAt(0), 60), spoilt.indexOf("C".charCodeAt(0), 60) + 4);
  await assert.rejects(() => checkHead(spoilt, 3), failed(/^Cannot read the archive.*back/));
});
