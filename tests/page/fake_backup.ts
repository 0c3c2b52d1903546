/** Small backups made by the project's own writer, with names and rows that a test chooses. */
import { closeBlock, COPY_END, openBlock } from "../../supabase/functions/backup/archive/block.ts";
import { writeHead } from "../../supabase/functions/backup/archive/header.ts";
import { SegmentDeflater } from "../../supabase/functions/backup/archive/segment.ts";
import { adlerText } from "../../supabase/functions/backup/archive/adler.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import { bytesOfValues } from "../../supabase/functions/backup/inspect/fields.ts";
import { type Manifest, writeManifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { sha256Hex } from "../../supabase/functions/backup/storage/sha256.ts";
import { entryOf } from "../doubles/entry.ts";

export interface FakeTable {
  schema: string;
  name: string;
  columns: string[];
  /** Its first column is the key, unless there is none. */
  keyless?: true;
  /** Null is null. */
  rows: (string | null)[][];
}

export interface FakeFunction {
  schema: string;
  name: string;
  definition: string;
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Returns the objects of a backup's folder by name. */
export async function fakeBackup(
  { name, at, tables, functions = [], runId }: {
    name: string;
    at: Date;
    runId: number;
    tables: FakeTable[];
    functions?: FakeFunction[];
  },
): Promise<Map<string, Uint8Array>> {
  let lastId = 0;
  const entry = (desc: string, tag: string, more: Partial<Entry>): Entry =>
    entryOf({ dumpId: ++lastId, desc, tag, namespace: null, ...more });
  const schemas = [...new Set([...tables, ...functions].map(({ schema }) => schema))];
  const made = schemas.map((tag) => entry("SCHEMA", tag, { definition: `CREATE SCHEMA ${quoted(tag)};\n` }));
  const routines = functions.map(({ schema: namespace, name, definition }) =>
    entry("FUNCTION", name, { namespace, definition })
  );
  const relations = tables.map(({ schema, name, columns }) => {
    const list = columns.map((column) => `    ${quoted(column)} text`).join(",\n");
    const definition = `CREATE TABLE ${quoted(schema)}.${quoted(name)} (\n${list}\n);\n`;
    return entry("TABLE", name, { namespace: schema, definition, tableam: "heap" });
  });
  const data = tables.map(({ schema, name, columns }, index) =>
    entry("TABLE DATA", name, {
      namespace: schema,
      section: "data",
      hasData: true,
      dependencies: [relations[index]!.dumpId],
      copy: `COPY ${quoted(schema)}.${quoted(name)} (${columns.map(quoted).join(", ")}) FROM stdin;\n`,
    })
  );
  const keys = tables.flatMap(({ schema, name, columns, keyless }, index) =>
    keyless ? [] : [entry("CONSTRAINT", `${name} key of ${name}`, {
      namespace: schema,
      section: "post-data",
      dependencies: [relations[index]!.dumpId],
      definition: `ALTER TABLE ONLY ${quoted(schema)}.${quoted(name)}\n    ADD CONSTRAINT ${
        quoted(`key of ${name}`)
      } PRIMARY KEY (${quoted(columns[0]!)});\n`,
    })]
  );
  const entries = [...made, ...routines, ...relations, ...data, ...keys];
  const head = writeHead(
    {
      database: "postgres",
      serverVersion: "15.8",
      serverVersionNum: 150008,
      entries,
    },
    { createdAt: at, level: 4 },
  );
  const deflater = new SegmentDeflater(4);
  const pieces: Uint8Array[] = [];
  const counts: Manifest["tables"] = [];
  for (const [index, { schema, name, rows }] of tables.entries()) {
    const emit = (bytes: Uint8Array) => void pieces.push(bytes.slice());
    emit(openBlock(data[index]!.dumpId));
    for (const row of rows) await deflater.push(lineOf(row), emit);
    await deflater.push(COPY_END, emit);
    const { adler32, rawBytes } = await deflater.finish(emit);
    emit(closeBlock(adler32));
    counts.push({ schema, name, rows: rows.length, rawBytes, adler32: adlerText(adler32) });
  }
  const body = new Uint8Array(await new Blob(pieces).arrayBuffer());
  const parts = await Promise.all([["00000.dump", head], ["00001.dump", body]].map(async ([part, bytes]) => ({
    name: part as string,
    bytes: bytes!.length,
    sha256: await sha256Hex(bytes as Uint8Array),
  })));
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  const manifest: Manifest = {
    formatVersion: 1,
    name,
    createdAt: at.toISOString(),
    snapshotAt: at.toISOString(),
    warnings: [],
    run: { id: runId, trigger: "scheduled", attempt: 1 },
    server: { version: "15.8", database: "postgres" },
    archive: { format: "PGDMP 1.14", level: 4, entries: entries.length },
    totals: {
      tables: tables.length,
      parts: 2,
      storedBytes: sum(parts.map(({ bytes }) => bytes)),
      rows: sum(counts.map(({ rows }) => rows)),
      rawBytes: sum(counts.map(({ rawBytes }) => rawBytes)),
    },
    tables: counts,
    parts,
  };
  return new Map<string, Uint8Array>([
    ["00000.dump", head],
    ["00001.dump", body],
    ["manifest.json", writeManifest(manifest)],
  ]);
}

function lineOf(row: readonly (string | null)[]): Uint8Array {
  const fields = row.map((value) =>
    value === null ? "\\N" : new TextDecoder().decode(bytesOfValues([value]))
  );
  return new TextEncoder().encode(`${fields.join("\t")}\n`);
}
