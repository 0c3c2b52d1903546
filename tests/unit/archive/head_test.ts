import assert from "node:assert/strict";
import { writeHead } from "../../../supabase/functions/backup/archive/header.ts";
import {
  ArchiveError,
  ByteReader,
  ByteWriter,
} from "../../../supabase/functions/backup/archive/primitives.ts";
import { bytesFrom, readArchive } from "../../../supabase/functions/backup/archive/reader.ts";
import { entryBytes, writeEntry } from "../../../supabase/functions/backup/archive/table_of_contents.ts";
import type { Dump, Entry } from "../../../supabase/functions/backup/entry.ts";

function from(...pieces: Uint8Array[]) {
  return bytesFrom((async function* () {
    for (const piece of pieces) yield await Promise.resolve(piece);
  })());
}

function entry(dumpId: number, facts: Partial<Entry>): Entry {
  return {
    dumpId,
    tableoid: 1259,
    oid: 16384,
    tag: "t",
    desc: "TABLE",
    section: "pre-data",
    definition: "CREATE TABLE public.t ();\n",
    drop: "DROP TABLE public.t;\n",
    copy: null,
    namespace: "public",
    tablespace: "",
    tableam: "heap",
    owner: "postgres",
    dependencies: [],
    hasData: false,
    ...facts,
  };
}

function dump(entries: Entry[]): Dump {
  return {
    database: "théâtre",
    serverVersion: "15.8",
    serverVersionNum: 150008,
    entries,
    data: [],
    extensions: [],
    warnings: [],
  };
}

Deno.test("[ByteWriter.int] and [ByteReader.int] are inverse over the whole range", async () => {
  const values = [0, 1, -1, 255, 256, -256, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, -(2 ** 31)];
  const writer = new ByteWriter();
  for (const value of values) writer.int(value);
  const reader = new ByteReader(from(writer.bytes()));
  for (const value of values) assert.equal(await reader.int(), value);
  assert.equal(await reader.byteOrEnd(), null);
});

Deno.test("[ByteWriter.int] writes sign and magnitude, little endian, as pg_dump does", () => {
  const writer = new ByteWriter();
  writer.int(-1);
  writer.int(0x01020304);
  assert.deepEqual([...writer.bytes()], [1, 1, 0, 0, 0, 0, 4, 3, 2, 1]);
});

Deno.test("strings keep null, empty, Unicode and megabytes apart", async () => {
  const values = [null, "", "é€😀", "x".repeat(3_000_000), "\ufeffbom"];
  const writer = new ByteWriter();
  for (const value of values) writer.string(value);
  const bytes = writer.bytes();
  // Pieces that cut every primitive somewhere.
  const pieces = Array.from(
    { length: Math.ceil(bytes.length / 9973) },
    (_, i) => bytes.subarray(i * 9973, (i + 1) * 9973),
  );
  const reader = new ByteReader(from(...pieces));
  for (const value of values) assert.equal(await reader.string(), value);
});

Deno.test("strings come back whatever buffer they end in", async () => {
  const texts = Array.from({ length: 120 }, (_, index) => "é€😀".repeat(index * 7 % 300));
  for (const expected of [1, 5000, 65_536, 1_000_000]) {
    const writer = new ByteWriter(expected);
    for (const text of texts) writer.string(text);
    const reader = new ByteReader(from(writer.bytes()));
    for (const text of texts) assert.equal(await reader.string(), text);
    assert.equal(await reader.byteOrEnd(), null);
  }
});

Deno.test("[entryBytes] is what an entry takes, and no less", () => {
  const largest = 2 ** 32 - 1;
  const full = entry(largest, {
    tableoid: largest,
    oid: largest,
    dependencies: [largest, largest],
    copy: "c",
    tablespace: "",
  });
  const writer = new ByteWriter();
  writeEntry(writer, full, 16);
  assert.equal(entryBytes(full), writer.bytes().length);
  assert.ok(entryBytes(entry(1, { owner: null })) > 100);
});

Deno.test("[writeHead] and [readArchive] agree on every field", async () => {
  const entries = [
    entry(3, { dependencies: [1, 70_000], owner: null, tablespace: null, tableam: null }),
    entry(9, {
      desc: "TABLE DATA",
      section: "data",
      copy: "COPY public.t FROM stdin;\n",
      definition: null,
      hasData: true,
    }),
    entry(4, { section: "none", desc: "COMMENT", tag: "TABLE t", drop: "", namespace: 'né "q"\n' }),
  ];
  const createdAt = new Date(Date.UTC(2026, 10, 22, 3, 0, 59));
  const archive = await readArchive(from(writeHead(dump(entries), { createdAt, level: 4 })));
  assert.deepEqual(archive.entries, entries);
  assert.deepEqual(archive.header, {
    version: "1.14.0",
    minor: 14,
    compression: 4,
    createdAt,
    database: "théâtre",
    serverVersion: "15.8",
    dumperVersion: "supabase-backup",
    entryCount: 3,
  });
});

Deno.test("[writeHead] gives a server of version 17 an archive of version 1.16", async () => {
  const entries = [entry(1, { partitioned: true, tableam: "columnar" }), entry(2, {})];
  const newer = { ...dump(entries), serverVersion: "17.4", serverVersionNum: 170004 };
  const archive = await readArchive(from(writeHead(newer, { createdAt: new Date(0), level: 4 })));
  assert.deepEqual(archive.entries, entries);
  assert.equal(archive.header.version, "1.16.0");
});

Deno.test("[readArchive] says where an archive ends too early, and what is not an archive", async () => {
  const bytes = writeHead(dump([entry(1, {})]), { createdAt: new Date(0), level: 4 });
  await assert.rejects(readArchive(from(bytes.subarray(0, bytes.length - 20))), (error: Error) => {
    return error instanceof ArchiveError && /ends at byte \d+, \d+ too early/.test(error.message);
  });
  await assert.rejects(
    readArchive(from(new TextEncoder().encode("-- PostgreSQL database dump"))),
    /begin with PGDMP/,
  );
});
