/** Header of the archive, both ways (pg_backup_archiver.c: WriteHead, ReadHead). */
import type { Dump } from "../toc/entry.ts";
import { ArchiveError, type ByteReader, ByteWriter, INT_SIZE, OFFSET_SIZE } from "./primitives.ts";
import { entryBytes, writeEntry } from "./table_of_contents.ts";

const MAGIC = "PGDMP";

/** 1.14 is the newest version that pg_restore 12 to 18 all read. */
const VERSION = [1, 14, 0] as const;
const FORMAT_CUSTOM = 1;

/** More than the header takes before the entries. */
const HEADER_BYTES = 1024;

/** What the header calls the program: pg_dump's name for itself is its version. */
const DUMPER = "supabase-backup";

export interface HeadOptions {
  createdAt: Date;
  /** Deflate level, 1 to 9; readers only look whether it is 0. */
  level: number;
}

export interface Header {
  version: string;
  /** Deflate level of archives up to 1.14, 0 for none. */
  compression: number;
  createdAt: Date;
  database: string | null;
  serverVersion: string | null;
  dumperVersion: string | null;
  entryCount: number;
}

/** Header and table of contents: everything before the first data block. */
export function writeHead(dump: Dump, { createdAt, level }: HeadOptions): Uint8Array {
  // Made at its size: of thousands of tables it has tens of megabytes.
  const writer = new ByteWriter(dump.entries.reduce((sum, entry) => sum + entryBytes(entry), HEADER_BYTES));
  writer.raw(new TextEncoder().encode(MAGIC));
  for (const number of VERSION) writer.byte(number);
  writer.byte(INT_SIZE);
  writer.byte(OFFSET_SIZE);
  writer.byte(FORMAT_CUSTOM);
  writer.int(level);
  // Fields of struct tm in UTC: an edge runtime's local time says nothing.
  writer.int(createdAt.getUTCSeconds());
  writer.int(createdAt.getUTCMinutes());
  writer.int(createdAt.getUTCHours());
  writer.int(createdAt.getUTCDate());
  writer.int(createdAt.getUTCMonth());
  writer.int(createdAt.getUTCFullYear() - 1900);
  writer.int(0);
  writer.string(dump.database);
  writer.string(dump.serverVersion);
  writer.string(DUMPER);
  writer.int(dump.entries.length);
  for (const entry of dump.entries) writeEntry(writer, entry);
  return writer.bytes();
}

/** Throws ArchiveError for anything that is not a custom archive up to version 1.14. */
export async function readHeader(reader: ByteReader): Promise<Header> {
  const magic = new TextDecoder().decode(await reader.raw(MAGIC.length));
  if (magic !== MAGIC) {
    throw new ArchiveError("This is not a pg_dump archive: it does not begin with PGDMP");
  }
  const [major, minor, revision] = await reader.raw(3) as unknown as [number, number, number];
  if (major !== 1 || minor !== VERSION[1]) {
    throw new ArchiveError(
      `Archive version ${major}.${minor} is not ${VERSION[0]}.${VERSION[1]}`,
    );
  }
  const [intSize, offsetSize, format] = await reader.raw(3) as unknown as [number, number, number];
  if (intSize !== INT_SIZE || offsetSize !== OFFSET_SIZE || format !== FORMAT_CUSTOM) {
    throw new ArchiveError(
      `Integers of ${intSize}, offsets of ${offsetSize} bytes, format ${format}: not one of ours`,
    );
  }
  const compression = await reader.int();
  const time: number[] = [];
  for (let field = 0; field < 7; field++) time.push(await reader.int());
  const [second, minute, hour, day, month, year] = time as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    version: `${major}.${minor}.${revision}`,
    compression,
    createdAt: new Date(Date.UTC(year + 1900, month, day, hour, minute, second)),
    database: await reader.string(),
    serverVersion: await reader.string(),
    dumperVersion: await reader.string(),
    entryCount: await reader.int(),
  };
}
