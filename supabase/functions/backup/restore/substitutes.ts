/** What takes the place of entries that the server refuses for good: one known substitute for each kind. */
import type { OpenArchive } from "../archive/reader.ts";
import type { Entry } from "../entry.ts";
import type { Account } from "./account.ts";
import { DeferredChecks } from "./deferred_checks.ts";
import { leaveOutUnique } from "./duplicates.ts";
import type { Substitute, Substituted } from "./engine.ts";
import { grantOneByOne } from "./grants.ts";
import { addNotValid } from "./not_valid.ts";
import type { RestoreOptions } from "./plan.ts";
import { throughRoot } from "./partition_root.ts";
import { closeInstead } from "./row_security.ts";
import { copyWithoutBadRows, isBadRow, isOutsidePartition } from "./rows_aside.ts";
import { pathFor } from "./search_path.ts";
import { type ServerError, words } from "./server_error.ts";
import type { Worker, WorkerOptions } from "./worker.ts";

const FOREIGN_KEY_VIOLATION = "23503";

export interface Substitutes {
  substitute: Substitute;
  /** To be called when all rows are there. */
  addDeferred(): Promise<void>;
}

interface Context {
  archive: OpenArchive;
  entries: readonly Entry[];
  worker: Worker;
  workerOptions: WorkerOptions;
  path: string;
  account: Account;
  keepAside: RestoreOptions["keepAside"];
}

export function substitutes(
  { archive, entries, worker, workerOptions, path, account, keepAside }: Context,
): Substitutes {
  const { connection } = worker;
  const checks = new DeferredChecks(worker, path);

  /** Without the checks that stand in the way, and without the rows that no server takes. */
  const rowsOtherwise = async (entry: Entry, first: ServerError): Promise<Substituted | null> => {
    let error = first;
    if (await checks.takeOff(entry, error)) {
      let attempt = await worker.run(entry);
      if ("error" in attempt) attempt = await worker.run(entry, path);
      if ("result" in attempt) return { rows: attempt.result };
      error = attempt.error;
    }
    if (!isBadRow(error)) return null;
    const root = isOutsidePartition(error) ? throughRoot(entry, entries) : null;
    if (root !== null) {
      const attempt = await worker.run(root);
      const how = "the rows went in through the topmost table, into the partitions that take them today";
      if ("result" in attempt) return { changed: { how, why: words(error) }, rows: attempt.result };
    }
    for (const under of [{}, { path: pathFor(path, entry) }]) {
      const sorted = await copyWithoutBadRows(connection, archive, root ?? entry, {
        ...workerOptions,
        ...under,
      });
      if (sorted === null) continue;
      const table = `${entry.namespace}.${entry.tag}`;
      const file = keepAside ? await keepAside(table, sorted.aside) : null;
      account.aside.push({ table, rows: sorted.aside.length, why: words(sorted.error!), file });
      return { rows: sorted.rows };
    }
    return null;
  };

  return {
    addDeferred: () => checks.addAgain(account),
    async substitute(entry, error) {
      switch (entry.desc) {
        case "ACL":
        case "DEFAULT ACL":
          return await grantOneByOne(connection, entry, error);
        case "FK CONSTRAINT":
          return error.code === FOREIGN_KEY_VIOLATION ? await addNotValid(connection, entry, error) : null;
        case "CHECK CONSTRAINT":
          return await addNotValid(connection, entry, error);
        case "CONSTRAINT":
        case "INDEX":
          return leaveOutUnique(entry, error);
        case "TABLE":
        case "DOMAIN":
          return await checks.createWithout(entry, error);
        case "POLICY":
          return await closeInstead(connection, entry, error);
        case "TABLE DATA":
          return await rowsOtherwise(entry, error);
        default:
          return null;
      }
    },
  };
}
