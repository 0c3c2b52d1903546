/** Backups that no run has made: an archive of any entries, with a manifest that agrees with it, in a folder. */
import { deflateSync } from "node:zlib";
import { adler32, ADLER_OF_NOTHING, adlerText } from "../../supabase/functions/backup/archive/adler.ts";
import { BLOCK_DATA, COPY_END } from "../../supabase/functions/backup/archive/block.ts";
import { writeHead } from "../../supabase/functions/backup/archive/header.ts";
import { ByteWriter } from "../../supabase/functions/backup/archive/primitives.ts";
import {
  type Manifest,
  MANIFEST_NAME,
  writeManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { sha256Hex } from "../../supabase/functions/backup/storage/sha256.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";

export const NAME = "backup-20261101-030000";

/** `rows` is COPY text without its end mark. */
export type Forged = Partial<Entry> & Pick<Entry, "desc" | "tag"> & { rows?: string };

const DATA = new Set(["TABLE DATA", "SEQUENCE SET"]);
const POST_DATA = new Set(["TRIGGER", "EVENT TRIGGER", "FK CONSTRAINT", "INDEX", "POLICY", "RULE"]);

/** Entries with what an ordinary one has, numbered in order. Each depends on all before it. */
function entriesOf(forged: readonly Forged[]): Entry[] {
  return forged.map(({ rows, ...entry }, index) => ({
    dumpId: index + 1,
    tableoid: 0,
    oid: 0,
    definition: null,
    drop: null,
    copy: null,
    namespace: null,
    section: DATA.has(entry.desc) ? "data" : POST_DATA.has(entry.desc) ? "post-data" : "pre-data",
    tablespace: null,
    tableam: null,
    owner: "",
    hasData: rows !== undefined,
    dependencies: Array.from({ length: index }, (_, before) => before + 1),
    ...entry,
  }));
}

/** The archive's bytes. */
export function forgeArchive(forged: readonly Forged[]): Uint8Array {
  const entries = entriesOf(forged);
  const writer = new ByteWriter();
  writer.raw(
    writeHead(
      { database: "forged", serverVersion: "15.8", serverVersionNum: 0, entries },
      { createdAt: new Date(0), level: 4 },
    ),
  );
  for (const [index, { rows }] of forged.entries()) {
    if (rows === undefined) continue;
    const stream = deflateSync(textOf(rows)) as unknown as Uint8Array;
    writer.byte(BLOCK_DATA);
    writer.int(entries[index]!.dumpId);
    writer.int(stream.length);
    writer.raw(stream);
    writer.int(0);
  }
  return writer.bytes();
}

/** Writes the backup into the folder. `changed` alters the manifest, which is written as it then is, valid or not. */
export async function forgeBackup(
  folder: string,
  forged: readonly Forged[],
  changed: (manifest: Manifest) => unknown = (manifest) => manifest,
): Promise<void> {
  const archive = forgeArchive(forged);
  const tables = forged.filter(({ rows }) => rows !== undefined).map(({ namespace, tag, rows }) => ({
    schema: namespace ?? "",
    name: tag,
    rows: rows!.split("\n").length - 1,
    rawBytes: textOf(rows!).length,
    adler32: adlerText(adler32(textOf(rows!), ADLER_OF_NOTHING)),
  }));
  const manifest: Manifest = {
    formatVersion: 1,
    name: NAME,
    createdAt: "2026-11-01T03:00:10.000Z",
    snapshotAt: "2026-11-01T03:00:00.000Z",
    run: { id: 1, trigger: "scheduled", attempt: 1 },
    server: { version: "15.8", database: "forged" },
    archive: { format: "PGDMP 1.14", level: 4, entries: forged.length },
    totals: {
      tables: tables.length,
      rows: tables.reduce((sum, { rows }) => sum + rows, 0),
      rawBytes: tables.reduce((sum, { rawBytes }) => sum + rawBytes, 0),
      storedBytes: archive.length,
      parts: 1,
    },
    tables,
    parts: [{ name: "00000.dump", bytes: archive.length, sha256: await sha256Hex(archive) }],
    warnings: [],
  };
  const written = changed(structuredClone(manifest));
  await Deno.writeFile(`${folder}/00000.dump`, archive);
  await Deno.writeFile(
    `${folder}/${MANIFEST_NAME}`,
    JSON.stringify(written) === JSON.stringify(manifest)
      ? writeManifest(manifest)
      : new TextEncoder().encode(JSON.stringify(written)),
  );
}

function textOf(rows: string): Uint8Array {
  return new Uint8Array([...new TextEncoder().encode(rows), ...COPY_END]);
}
