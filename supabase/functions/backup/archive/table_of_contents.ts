/** Entries of the table of contents, both ways (pg_backup_archiver.c: WriteToc, ReadToc). */
import { type Entry, EXTENSION_DATA, type Section } from "../entry.ts";
import {
  ArchiveError,
  type ByteReader,
  type ByteWriter,
  OFFSET_NO_DATA,
  OFFSET_NOT_SET,
} from "./primitives.ts";

/** pg_backup.h, teSection. */
const SECTIONS: readonly Section[] = ["none", "pre-data", "data", "post-data"];
const FIRST_SECTION = 1;

/**
 * What writeEntry() takes beyond texts: four integers, the lengths of all strings, two OIDs, `false` and the offset.
 */
const FIXED_BYTES = 119;
/** A length and ten digits. */
const DEPENDENCY_BYTES = 15;

/** Bytes that writeEntry() takes at most where all texts are ASCII. */
export function entryBytes(entry: Entry): number {
  const { tag, desc, definition, drop, copy, namespace, tablespace, tableam, owner } = entry;
  let bytes = FIXED_BYTES + entry.dependencies.length * DEPENDENCY_BYTES;
  for (const text of [tag, desc, definition, drop, copy, namespace, tablespace, tableam, owner]) {
    bytes += text?.length ?? 0;
  }
  return bytes;
}

export function writeEntry(writer: ByteWriter, entry: Entry, minor: number): void {
  const saysData = entry.hasData && entry.desc !== EXTENSION_DATA;
  writer.int(entry.dumpId);
  writer.int(saysData ? 1 : 0);
  writer.string(String(entry.tableoid));
  writer.string(String(entry.oid));
  writer.string(entry.tag);
  writer.string(entry.desc);
  writer.int(SECTIONS.indexOf(entry.section) + FIRST_SECTION);
  writer.string(entry.definition);
  writer.string(entry.drop);
  writer.string(entry.copy);
  writer.string(entry.namespace);
  writer.string(entry.tablespace);
  writer.string(entry.tableam);
  if (minor >= RELKIND_SINCE) writer.int(entry.partitioned ? PARTITIONED_TABLE : 0);
  writer.string(entry.owner);
  // Tables with oids have been gone since PostgreSQL 12; the field stayed.
  writer.string("false");
  for (const dependency of entry.dependencies) {
    writer.string(String(dependency));
  }
  writer.string(null);
  writer.offset(saysData ? OFFSET_NOT_SET : OFFSET_NO_DATA);
}

/** pg_class.relkind "p". */
const PARTITIONED_TABLE = "p".charCodeAt(0);

/** Fields that older archives lack: the table access method, and the kind of relation. */
const TABLEAM_SINCE = 14;
const RELKIND_SINCE = 16;

/**
 * Reads an entry of an archive of version 1.`minor`, and where its data block is said to begin. Throws ArchiveError.
 */
export async function readEntry(
  reader: ByteReader,
  minor: number,
): Promise<{ entry: Entry; offset: { flag: number; position: number } }> {
  const begin = reader.position;
  const dumpId = await reader.int();
  if (dumpId <= 0) {
    throw new ArchiveError(
      `The entry at byte ${begin} has the dump id ${dumpId}`,
    );
  }
  const saysData = await reader.int() !== 0;
  const tableoid = Number(await reader.string());
  const oid = Number(await reader.string());
  const tag = await reader.string() ?? "";
  const desc = await reader.string() ?? "";
  const hasData = saysData || desc === EXTENSION_DATA;
  const section = SECTIONS[await reader.int() - FIRST_SECTION];
  if (section === undefined) {
    throw new ArchiveError(
      `Entry ${dumpId} (${desc} ${tag}) is in no known section`,
    );
  }
  const definition = await reader.string();
  const drop = await reader.string();
  const copy = await reader.string();
  const namespace = await reader.string();
  const tablespace = await reader.string();
  const tableam = minor < TABLEAM_SINCE ? null : await reader.string();
  const relkind = minor < RELKIND_SINCE ? 0 : await reader.int();
  const owner = await reader.string();
  await reader.string();
  const dependencies: number[] = [];
  for (
    let id = await reader.string();
    id !== null;
    id = await reader.string()
  ) dependencies.push(Number(id));
  const offset = await reader.offset();
  const entry: Entry = {
    dumpId,
    tableoid,
    oid,
    tag,
    desc,
    section,
    definition,
    drop,
    copy,
    namespace,
    tablespace,
    tableam,
    owner,
    dependencies,
    hasData,
    ...(relkind === PARTITIONED_TABLE ? { partitioned: true } : {}),
  };
  return { entry, offset };
}
