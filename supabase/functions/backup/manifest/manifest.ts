/** Reads and writes `manifest.json`: what a backup holds. It is the truth about a backup, also when the log is lost. */
import { BackupError } from "../errors.ts";
import type { ExtensionVersion, Warning } from "../entry.ts";
import type { Inventory } from "./inventory.ts";
import {
  count,
  list,
  matching,
  oneOf,
  optional,
  record,
  type Shape,
  ShapeError,
  text,
  yesOrNo,
} from "./shape.ts";

/** Increased when a reader of the version before would misread a manifest; a new member alone is not a reason. */
const FORMAT_VERSION = 1;

/** Its name in the backup's folder. */
export const MANIFEST_NAME = "manifest.json";

export const PART_NAME = /^\d{5}\.dump(\.age)?$/;

/** The table that counts them. */
export const LARGE_OBJECTS = { schema: "pg_catalog", name: "pg_largeobject_metadata" };

export interface Manifest {
  formatVersion: typeof FORMAT_VERSION;
  /** Folder of the backup. */
  name: string;
  /** When the manifest was written, as `Date.toISOString` prints it. */
  createdAt: string;
  /** The instant of the database that the backup holds. */
  snapshotAt: string;
  run: { id: number; trigger: "scheduled" | "manual"; attempt: number };
  server: { version: string; database: string };
  archive: { format: "PGDMP 1.14" | "PGDMP 1.16"; level: number; entries: number };
  /** The release that made the backup, since 0.1.0. */
  version?: string | undefined;
  /** Where each part is an age file: whose keys open them. */
  encryption?: { format: "age"; recipients: string[] } | undefined;
  /** Rows and bytes of COPY text before compression; bytes as stored. */
  totals: { tables: number; rows: number; rawBytes: number; storedBytes: number; parts: number };
  /** Large objects, where there are any, are the rows of LARGE_OBJECTS. */
  tables: TableRows[];
  /** In archive order, which is name order. */
  parts: Part[];
  /** Versions of extensions, which the archive does not say; missing in earlier manifests. */
  extensions?: ExtensionVersion[] | undefined;
  /** Which files Storage had; missing where there is no Storage, and in earlier manifests. */
  inventory?: Inventory | undefined;
  warnings: Warning[];
}

export interface TableRows {
  schema: string;
  name: string;
  rows: number;
  /** COPY text with its end mark. */
  rawBytes: number;
  /** Adler-32 of that text, in hexadecimal; not of large objects, which are many texts. */
  adler32?: string | undefined;
  /** Byte of the archive where its data block begins; not of encrypted backups, and of none of 0.1.0. */
  begin?: number | undefined;
}

export interface Part {
  /** Without the folder. */
  name: string;
  bytes: number;
  sha256: string;
}

const instant = matching(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)$/, "an instant");

const MANIFEST: Shape<Manifest> = record<Manifest>({
  formatVersion: oneOf(FORMAT_VERSION),
  name: matching(/^backup-\d{8}-\d{6}(-\d+)?$/, "the name of a backup"),
  createdAt: instant,
  snapshotAt: instant,
  run: record<Manifest["run"]>({ id: count, trigger: oneOf("scheduled", "manual"), attempt: count }),
  server: record<Manifest["server"]>({ version: text, database: text }),
  archive: record<Manifest["archive"]>({
    format: oneOf("PGDMP 1.14", "PGDMP 1.16"),
    level: count,
    entries: count,
  }),
  version: optional(text),
  encryption: optional(record<NonNullable<Manifest["encryption"]>>({
    format: oneOf("age"),
    recipients: list(text),
  })),
  totals: record<Manifest["totals"]>({
    tables: count,
    rows: count,
    rawBytes: count,
    storedBytes: count,
    parts: count,
  }),
  tables: list(record<TableRows>({
    schema: text,
    name: text,
    rows: count,
    rawBytes: count,
    adler32: optional(matching(/^[0-9a-f]{8}$/, "an Adler-32 in hexadecimal")),
    begin: optional(count),
  })),
  parts: list(record<Part>({
    name: matching(PART_NAME, "the name of a part"),
    bytes: count,
    sha256: matching(/^[0-9a-f]{64}$/, "a SHA-256 in hexadecimal"),
  })),
  extensions: optional(list(record<ExtensionVersion>({ name: text, version: text }))),
  inventory: optional(record<Inventory>({
    name: matching(/^storage-inventory\.jsonl\.gz(\.age)?$/, "the name of an inventory"),
    bytes: count,
    sha256: matching(/^[0-9a-f]{64}$/, "a SHA-256 in hexadecimal"),
    objects: count,
    complete: yesOrNo,
  })),
  warnings: list(record<Warning>({ code: text, object: text, message: text })),
});

/**
 * Writes equal manifests as equal bytes. Throws BackupError `manifest_invalid` for one that could not be read again.
 */
export function writeManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(checked(manifest), null, 2) + "\n");
}

/** Reads a manifest. Throws BackupError `manifest_invalid`, which says what is wrong and where. */
export function readManifest(bytes: Uint8Array): Manifest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(`it is not valid JSON (${(error as Error).message})`, error);
  }
  const version = (parsed as Partial<Manifest> | null)?.formatVersion as unknown;
  if (typeof version === "number" && version > FORMAT_VERSION) {
    throw new BackupError(
      "manifest_invalid",
      `${MANIFEST_NAME} has the format version ${version}, and ${FORMAT_VERSION} is the newest that this release reads`,
      "A newer release made the backup. Use that release, or pg_restore on the joined parts.",
    );
  }
  return checked(parsed);
}

function checked(value: unknown): Manifest {
  try {
    const manifest = MANIFEST(value, "");
    expectConsistent(manifest);
    return manifest;
  } catch (error) {
    if (error instanceof ShapeError) throw invalid(error.message, error);
    throw error;
  }
}

/** Checks that facts which are stored twice are equal. */
function expectConsistent({ totals, tables, parts, encryption }: Manifest): void {
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  const exact = [
    ["tables", totals.tables, tables.length],
    ["parts", totals.parts, parts.length],
    ["storedBytes", totals.storedBytes, sum(parts.map(({ bytes }) => bytes))],
  ] as const;
  for (const [name, said, found] of exact) {
    if (said !== found) throw new ShapeError(`totals.${name} is ${said}, but the list has ${found}`);
  }
  for (const name of ["rows", "rawBytes"] as const) {
    const found = sum(tables.map((table) => table[name]));
    if (totals[name] < found) {
      throw new ShapeError(`totals.${name} is ${totals[name]}, but the tables have ${found}`);
    }
  }
  if (parts.length === 0) throw new ShapeError("parts is empty");
  parts.forEach((part, index) => {
    if (part.name.endsWith(".age") !== (encryption !== undefined)) {
      throw new ShapeError(`parts[${index}].name is "${part.name}", and encryption says otherwise`);
    }
    if (index > 0 && part.name <= parts[index - 1]!.name) {
      throw new ShapeError(
        `parts[${index}].name is "${part.name}", which does not come after the part before it`,
      );
    }
  });
}

function invalid(what: string, cause: unknown): BackupError {
  return new BackupError(
    "manifest_invalid",
    `${MANIFEST_NAME} is not valid: ${what}`,
    "The file was damaged or changed after it was written. The parts may be intact: join them in name order for pg_restore.",
    cause,
  );
}
