/** The bytes of large objects, which entries before have created. */
import { Buffer } from "node:buffer";
import type { OpenArchive } from "../archive/reader.ts";
import type { Entry } from "../entry.ts";
import type { Attempt, Connection } from "./connection.ts";

/** Bytes of objects that are sent in one query: small objects share it, large ones take many. */
const QUERY_BYTES = 512 * 1024;

/** Writes the objects of a BLOBS entry. Returns their number, or the server's first error. Throws ArchiveError. */
export async function writeLargeObjects(
  connection: Connection,
  archive: OpenArchive,
  { dumpId }: Entry,
): Promise<Attempt<number>> {
  let statements: string[] = [];
  let bytes = 0;
  let objects = 0;
  const flush = async () => {
    const sql = statements.join("\n");
    statements = [];
    bytes = 0;
    return sql === "" ? { result: null } : await connection.attempt(sql);
  };
  for await (const object of archive.largeObjects(dumpId)) {
    let offset = 0;
    for await (const piece of object.bytes) {
      for (let at = 0; at < piece.length; at += QUERY_BYTES) {
        const here = piece.subarray(at, at + QUERY_BYTES);
        statements.push(
          `select pg_catalog.lo_put(${object.oid}, ${offset}, '\\x${Buffer.from(here).toString("hex")}');`,
        );
        offset += here.length;
        bytes += here.length;
        if (bytes < QUERY_BYTES) continue;
        const flushed = await flush();
        if ("error" in flushed) return flushed;
      }
    }
    objects++;
  }
  const flushed = await flush();
  return "error" in flushed ? flushed : { result: objects };
}
