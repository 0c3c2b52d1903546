/**
 * Stores the inventory of Storage's files at the instant of the backup: JSON lines, gzipped. And checks whether rows of
 * storage.objects have their files, which are stored elsewhere.
 */
import { gzipSync } from "node:zlib";
import { type Inventory, INVENTORY_NAME } from "../manifest/inventory.ts";
import { isStatementError } from "../postgres/session.ts";
import type { Warning } from "../entry.ts";
import type { Worker } from "./worker.ts";

/** The cost of a line, in bytes of COPY text. */
const LINE_BYTES = 320;

/** Bytes that are compressed at a time. Each block is a gzip member of its own; joined they are one file. */
const BLOCK_BYTES = 1024 * 1024;

/** Files that are looked up, another sample for each backup. */
const SAMPLE = 12;

/** Metadata as Storage writes them; other clients may have put anything there. */
const LINE = `pg_catalog.json_build_object(
  'bucket', o.bucket_id, 'name', o.name, 'size', o.metadata -> 'size', 'etag', o.metadata -> 'eTag',
  'type', o.metadata -> 'mimetype',
  'version', o.version, 'updated_at', o.updated_at
)`;

/**
 * Whether there is a table that may be Storage's. For a type that a user made, the operators and casts below could be
 * the user's.
 */
const IS_STORAGE = `
  select exists (
    select from pg_catalog.pg_class c
    where c.oid = pg_catalog.to_regclass('storage.objects') and c.relkind = 'r' and not exists (
      select from pg_catalog.pg_attribute a
      where a.attrelid = c.oid and a.atttypid >= 16384
    )
  ) as there`;

interface Outcome {
  /** Null where there is no Storage, or one whose tables are not what we know. */
  inventory: Inventory | null;
  warnings: Warning[];
}

/** Needs the worker's session in the snapshot. A backup does not fail because of its inventory. */
export async function storeInventory(worker: Worker): Promise<Outcome> {
  const { sql } = worker.exporter;
  await sql.unsafe("savepoint inventory");
  try {
    const outcome = await listFiles(worker);
    await sql.unsafe("release savepoint inventory");
    return outcome;
  } catch (error) {
    // Only a failed statement is a fault of the inventory; other errors (Storage, the run, the connection) concern the
    // whole run.
    if (!isStatementError(error)) throw error;
    await sql.unsafe("rollback to savepoint inventory");
    const message = `Cannot make the inventory of files: ${(error as Error).message}`;
    return { inventory: null, warnings: [{ code: "inventory_failed", object: "storage.objects", message }] };
  }
}

async function listFiles(worker: Worker): Promise<Outcome> {
  const { exporter, budget, heartbeat, place: { settings } } = worker;
  const [found] = await exporter.sql.unsafe<{ there: boolean }[]>(IS_STORAGE);
  if (!found!.there) return { inventory: null, warnings: [] };
  // Half of what is left, because the worker has slices to export as well.
  const most = Math.max(1000, Math.floor(budget.left / 2 / LINE_BYTES));
  const gzip = new Gzip();
  // JSON has no control characters: with these two as quote and delimiter COPY writes each line as it is.
  const lines = await exporter.copy(
    `copy (
      select ${LINE} from storage.objects o where o.bucket_id <> '${settings.bucket}' order by o.bucket_id, o.name collate "C" limit ${
      most + 1
    }
    ) to stdout (format csv, quote e'\\x01', delimiter e'\\x02')`,
    (block) => {
      heartbeat.check();
      gzip.push(block);
    },
  );
  budget.spendExport(lines * LINE_BYTES, gzip.busyMs);
  const stored = await worker.store.storeFile(INVENTORY_NAME, gzip.finish());
  const complete = lines <= most;
  const warnings = await filesMissing(worker);
  if (!complete) {
    warnings.push({
      code: "inventory_cut",
      object: "storage.objects",
      message: `The inventory lists the first ${lines} files; the archive has the rows of all`,
    });
  }
  return { inventory: { ...stored, objects: lines, complete }, warnings };
}

/**
 * Warns of rows of a sample whose file Storage does not find. A table that was never analyzed is read whole for the
 * sample.
 */
async function filesMissing(
  { exporter, openBucket, heartbeat, place: { settings } }: Worker,
): Promise<Warning[]> {
  const sample = await exporter.sql.unsafe<{ bucket: string; name: string }[]>(`
    select o.bucket_id as bucket, o.name
    from storage.objects o tablesample system (${percentOfRows()})
    where o.bucket_id <> '${settings.bucket}' and o.metadata is not null
    order by pg_catalog.random() limit ${SAMPLE}`);
  const missing: string[] = [];
  for (const { bucket, name } of sample) {
    heartbeat.check();
    try {
      if (!await openBucket(bucket).exists(name)) missing.push(`${bucket}/${name}`);
    } catch {
      // Whether the file exists stays unknown; a fault of Storage will show when the parts are stored.
    }
  }
  if (missing.length === 0) return [];
  return [{
    code: "file_missing",
    object: "storage.objects",
    message:
      `${missing.length} of ${sample.length} files that were asked for are not in Storage, if nobody removed them in this minute: ${
        missing.slice(0, 3).join(", ")
      }`,
  }];
}

/** Returns the percentage that is about a thousand rows. */
function percentOfRows(): string {
  return `least(100, 100000.0 / greatest(1000, (
    select c.reltuples from pg_catalog.pg_class c where c.oid = 'storage.objects'::pg_catalog.regclass
  )))`;
}

/** Compresses text that arrives in blocks of any size to a gzip file. */
class Gzip {
  readonly #block = new Uint8Array(BLOCK_BYTES);
  readonly #members: Uint8Array[] = [];
  #filled = 0;
  busyMs = 0;

  push(bytes: Uint8Array): void {
    for (let taken = 0; taken < bytes.length;) {
      const here = Math.min(BLOCK_BYTES - this.#filled, bytes.length - taken);
      this.#block.set(bytes.subarray(taken, taken + here), this.#filled);
      this.#filled += here;
      taken += here;
      if (this.#filled === BLOCK_BYTES) this.#flush();
    }
  }

  /** Returns the file; without lines, an empty gzip file. */
  finish(): Uint8Array {
    if (this.#filled > 0 || this.#members.length === 0) this.#flush();
    const file = new Uint8Array(this.#members.reduce((sum, { length }) => sum + length, 0));
    let position = 0;
    for (const member of this.#members) {
      file.set(member, position);
      position += member.length;
    }
    return file;
  }

  #flush(): void {
    const begin = performance.now();
    const member: unknown = gzipSync(this.#block.subarray(0, this.#filled), { level: 4 });
    this.#members.push(member as Uint8Array);
    this.#filled = 0;
    this.busyMs += performance.now() - begin;
  }
}
