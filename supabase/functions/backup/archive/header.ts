/** Header of the archive, both ways (pg_backup_archiver.c: WriteHead, ReadHead). */
import type { Dump } from "../entry.ts";
import { ArchiveError, type ByteReader, ByteWriter, INT_SIZE, OFFSET_SIZE } from "./primitives.ts";
import { entryBytes, writeEntry } from "./table_of_contents.ts";

const MAGIC = "PGDMP";

/**
 * The archive has the version of the server's own pg_dump: 1.14 is read by pg_restore 12 to 18. From 17 on large
 * objects come in groups and partitioned tables may have an access method, which only 1.16 can say.
 */
function archiveVersion(serverVersion: number): readonly [number, number, number] {
  return [1, serverVersion >= 170000 ? 16 : 14, 0];
}

/** Minor versions that are read: those of pg_dump 12 to 18, or of our own archives only (archiveVersion). */
export const ANY_VERSION = [12, 16] as const;
export const OWN_VERSION = [14, 16] as const;

/** From this minor version on the header names the compression and not its level. */
const NAMED_COMPRESSION = 15;
const COMPRESSIONS = ["none", "gzip", "lz4", "zstd"];
/** zlib's "default": what is known of an archive's level from then on. */
const DEFAULT_LEVEL = -1;

const FORMAT_CUSTOM = 1;

/** More than the header takes before the entries. */
const HEADER_BYTES = 1024;

/** What the header calls the program: pg_dump's name for itself is its version. */
const DUMPER = "supabase-backup";

/**
 * Returns what the manifest says of an archive of this server, whose version is as it prints it (`17.4 (Debian …)`).
 */
export function archiveFormat(serverVersion: string): "PGDMP 1.14" | "PGDMP 1.16" {
  return archiveVersion(parseInt(serverVersion) * 10_000)[1] === 16 ? "PGDMP 1.16" : "PGDMP 1.14";
}

type HeadOfDump = Pick<Dump, "database" | "serverVersion" | "serverVersionNum" | "entries">;

export interface HeadOptions {
  createdAt: Date;
  /** Deflate level, 1 to 9; readers only look whether it is 0. */
  level: number;
}

export interface Header {
  version: string;
  /** The second number of the version, on which the form of the entries depends. */
  minor: number;
  /** Deflate level, 0 for none. */
  compression: number;
  createdAt: Date;
  database: string | null;
  serverVersion: string | null;
  dumperVersion: string | null;
  entryCount: number;
}

/** Header and table of contents: everything before the first data block. */
export function writeHead(dump: HeadOfDump, { createdAt, level }: HeadOptions): Uint8Array {
  // Made at its size: of thousands of tables it has tens of megabytes.
  const writer = new ByteWriter(dump.entries.reduce((sum, entry) => sum + entryBytes(entry), HEADER_BYTES));
  writer.raw(new TextEncoder().encode(MAGIC));
  const version = archiveVersion(dump.serverVersionNum);
  for (const number of version) writer.byte(number);
  writer.byte(INT_SIZE);
  writer.byte(OFFSET_SIZE);
  writer.byte(FORMAT_CUSTOM);
  if (version[1] < NAMED_COMPRESSION) writer.int(level);
  else writer.byte(COMPRESSIONS.indexOf("gzip"));
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
  for (const entry of dump.entries) writeEntry(writer, entry, version[1]);
  return writer.bytes();
}

/** Throws ArchiveError for anything that is not an archive in the custom format of these versions. */
export async function readHeader(
  reader: ByteReader,
  versions: readonly [oldest: number, newest: number] = ANY_VERSION,
): Promise<Header> {
  const magic = new TextDecoder().decode(await reader.raw(MAGIC.length));
  if (magic !== MAGIC) {
    throw new ArchiveError("This is not a pg_dump archive: it does not begin with PGDMP");
  }
  const [major, minor, revision] = await reader.raw(3) as unknown as [number, number, number];
  const [oldest, newest] = versions;
  if (major !== 1 || minor < oldest || minor > newest) {
    throw new ArchiveError(`Archive version ${major}.${minor} is not 1.${oldest} to 1.${newest}`);
  }
  const [intSize, offsetSize, format] = await reader.raw(3) as unknown as [number, number, number];
  if (intSize !== INT_SIZE || offsetSize !== OFFSET_SIZE || format !== FORMAT_CUSTOM) {
    throw new ArchiveError(
      `Integers of ${intSize}, offsets of ${offsetSize} bytes, format ${format}: not one of ours`,
    );
  }
  const compression = minor < NAMED_COMPRESSION ? await reader.int() : await readCompression(reader);
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
    minor,
    compression,
    createdAt: new Date(Date.UTC(year + 1900, month, day, hour, minute, second)),
    database: await reader.string(),
    serverVersion: await reader.string(),
    dumperVersion: await reader.string(),
    entryCount: await reader.int(),
  };
}

async function readCompression(reader: ByteReader): Promise<number> {
  const algorithm = await reader.byte();
  if (algorithm <= 1) return algorithm === 0 ? 0 : DEFAULT_LEVEL;
  throw new ArchiveError(
    `The archive is compressed with ${COMPRESSIONS[algorithm] ?? `algorithm ${algorithm}`}, not with gzip`,
  );
}
