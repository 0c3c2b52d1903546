/** Materialized views, last of all: they can be computed again at any time, so they never cost a restore. */
import type { Session } from "../postgres/session.ts";
import type { Entry } from "../entry.ts";
import { BackupError } from "../errors.ts";
import { type Account, changeOf } from "./account.ts";
import { Connection } from "./connection.ts";
import { labelOf } from "./names.ts";
import { pathFor } from "./search_path.ts";
import { isTimeout, words } from "./server_error.ts";
import { under } from "./worker.ts";

/**
 * How much longer than its statement_timeout a server may be silent: one that connects to another server hears nothing.
 */
const SILENCE_MS = 5000;

interface Refreshes {
  open: () => Promise<Session>;
  entries: readonly Entry[];
  path: string;
  timeoutMs: number;
  account: Account;
}

/** Fills them one by one, after the commit; one that cannot be filled stays empty, and is told. */
export async function refreshAll({ open, entries, path, timeoutMs, account }: Refreshes): Promise<void> {
  let connection: Connection | null = null;
  try {
    for (const entry of entries) {
      connection ??= await connected(open, timeoutMs);
      const refused = await withDeadline(refresh(connection, entry, path), timeoutMs + SILENCE_MS);
      if (refused === null) {
        account.asInBackup++;
        continue;
      }
      account.changed.push(
        changeOf(entry, {
          how: "the materialized view is empty",
          why: refused.why,
          mend: [entry.definition!.trim()],
        }),
      );
      if (refused.usable) continue;
      await connection.close();
      connection = null;
    }
  } finally {
    await connection?.close();
  }
}

async function connected(open: Refreshes["open"], timeoutMs: number): Promise<Connection> {
  const connection = new Connection(await open());
  await connection.prepare();
  await connection.sql.unsafe(`set statement_timeout = ${Math.trunc(timeoutMs)}`);
  return connection;
}

/** Fills them in the transaction of a strict restore. Throws BackupError `restore_failed`. */
export async function refreshInside(
  connection: Connection,
  entries: readonly Entry[],
  path: string,
  timeoutMs: number,
): Promise<void> {
  if (entries.length === 0) return;
  await connection.sql.unsafe(`set statement_timeout = ${Math.trunc(timeoutMs)}`);
  for (const entry of entries) {
    const refused = await withDeadline(refresh(connection, entry, path), timeoutMs + SILENCE_MS);
    if (refused === null) continue;
    throw new BackupError(
      "restore_failed",
      `Cannot restore ${labelOf(entry)}: ${refused.why}`,
      "Nothing was changed: the restore is one transaction. To restore everything else, add --no-strict.",
    );
  }
}

interface Refused {
  why: string;
  /** The connection answers still. */
  usable: boolean;
}

/** Returns null, or why it failed. */
async function refresh(connection: Connection, entry: Entry, path: string): Promise<Refused | null> {
  const refreshing = entry.definition!;
  try {
    const first = await connection.attempt(refreshing);
    if ("result" in first) return null;
    if (isTimeout(first.error)) return { why: words(first.error), usable: true };
    const second = await connection.attempt(under(pathFor(path, entry), refreshing));
    return "result" in second ? null : { why: words(second.error), usable: true };
  } catch (error) {
    return { why: (error as Error).message, usable: false };
  }
}

/** A server that waits for another one may hear neither a timeout nor a cancel. */
async function withDeadline(work: Promise<Refused | null>, ms: number): Promise<Refused | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Refused>((resolve) => {
    timer = setTimeout(() => resolve({ why: "the server did not answer in time", usable: false }), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
