/** Makes a database's table of contents: reads, orders, numbers. */
import { readCatalog, readFacts } from "../catalog/read_catalog.ts";
import { readDatabase } from "../catalog/database.ts";
import { readExtensionVersions } from "../catalog/extensions.ts";
import { findMayNotRestore } from "../catalog/may_not_restore.ts";
import { readRoles, rolesEntry } from "../catalog/roles.ts";
import { lockDumpedTables } from "../catalog/locks.ts";
import type { Session } from "../postgres/session.ts";
import type { Dump } from "../entry.ts";
import { assignDumpIds, heading } from "./assign_dump_ids.ts";
import { orderObjects } from "./order.ts";

/**
 * A query of the catalogs takes this long only when something blocks it. COPY has no limit, because it takes as long as
 * there are rows; in a run the heartbeat reports the table that it reads.
 */
const QUERY_TIMEOUT_MS = 5 * 60_000;

export interface DumpOptions {
  /** How long to wait for the lock on a table. */
  lockTimeoutMs: number;
  /** `schema.table` of tables whose rows stay out. */
  leaveOut?: readonly string[];
}

/**
 * Reads everything that an archive says before its rows. The session is in the snapshot's transaction (beginSnapshot)
 * and holds `access share` locks on all dumped tables afterwards.
 *
 * Throws BackupError `lock_timeout`; `table_not_read` or `permission_denied` for a user's table that may not be read.
 * What else cannot be dumped is in the result's `warnings`.
 */
export async function readDump(
  session: Session,
  { lockTimeoutMs, leaveOut = [] }: DumpOptions,
): Promise<Dump> {
  await session.sql.unsafe(`set local statement_timeout = ${QUERY_TIMEOUT_MS}`);
  const facts = await readFacts(session);
  const locked = await lockDumpedTables(session, lockTimeoutMs, leaveOut);
  const [database, extensions, doubtful, roles, catalog] = await Promise.all([
    readDatabase(session, facts),
    readExtensionVersions(session),
    findMayNotRestore(session),
    readRoles(session, facts.version),
    readCatalog(session, facts, locked.unreadable),
  ]);
  await session.sql.unsafe("set local statement_timeout = 0");
  catalog.warnings.push(...locked.warnings, ...doubtful);
  const order = orderObjects(catalog.objects, (message) => {
    catalog.warnings.push({ code: "dependency_loop", object: "", message });
  });
  const { entries, data } = assignDumpIds([...heading(facts.encoding), ...database.render(catalog)], order);
  // Above ids without an entry as well, which others name: a dependency on the roles would mean something.
  const last = entries.reduce((most, { dumpId, dependencies }) => Math.max(most, dumpId, ...dependencies), 0);
  entries.push(rolesEntry(last + 1, roles));
  return {
    database: database.name,
    serverVersion: facts.serverVersion,
    serverVersionNum: facts.version,
    entries,
    data,
    extensions,
    warnings: catalog.warnings,
  };
}
