/** From a database to its table of contents: reads, orders, numbers. */
import { readCatalog, readFacts } from "../catalog/read_catalog.ts";
import { readDatabase } from "../catalog/database.ts";
import { lockDumpedTables } from "../catalog/locks.ts";
import type { Session } from "../postgres/session.ts";
import type { Dump } from "./entry.ts";
import { heading, numberEntries } from "./number.ts";
import { orderObjects } from "./order.ts";

export interface DumpOptions {
  /** How long a lock on a table may be waited for. */
  lockTimeoutMs: number;
}

/**
 * Reads everything that an archive says before its rows. The session is in the snapshot's transaction (beginSnapshot) and
 * holds `access share` locks on all dumped tables afterwards.
 *
 * Throws BackupError `lock_timeout`; `table_not_read` or `permission_denied` for a user's table that may not be read. What else cannot be
 * dumped is in the answer's `warnings`.
 */
export async function readDump(session: Session, { lockTimeoutMs }: DumpOptions): Promise<Dump> {
  const facts = await readFacts(session);
  const locked = await lockDumpedTables(session, lockTimeoutMs);
  const [database, catalog] = await Promise.all([
    readDatabase(session, facts),
    readCatalog(session, facts, locked.unreadable),
  ]);
  catalog.warnings.push(...locked.warnings);
  const order = orderObjects(catalog.objects, (message) => {
    catalog.warnings.push({ code: "dependency_loop", object: "", message });
  });
  const { entries, data } = numberEntries([...heading(facts.encoding), ...database.render(catalog)], order);
  return {
    database: database.name,
    serverVersion: facts.serverVersion,
    serverVersionNum: facts.version,
    entries,
    data,
    warnings: catalog.warnings,
  };
}
