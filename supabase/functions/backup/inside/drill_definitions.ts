/** Definitions of a drill: those before the rows in one transaction, those behind them one by one. */
import type { Check } from "../compare/check.ts";
import { emptyAccount } from "../restore/account.ts";
import { Engine } from "../restore/engine.ts";
import { EventTriggers } from "../restore/event_triggers.ts";
import { labelOf } from "../restore/names.ts";
import { runsOf } from "../restore/passes.ts";
import { searchPathOf } from "../restore/search_path.ts";
import { isCollision, isFatal, isUnresolved, type ServerError, words } from "../restore/server_error.ts";
import { definitionOf } from "../restore/statements.ts";
import { under, Worker } from "../restore/worker.ts";
import type { Entry } from "../entry.ts";
import type { Drill } from "./drill_run.ts";

const RESTORE = "restore: ";

/** Of a statement that takes longer than an invocation has. */
const TOO_LONG = "57014";

/** Creates all that comes before the rows. What the server refuses is a failed check, and so is what needs it. */
export async function defineAll({ work, archive, plan, connection, lists }: Drill): Promise<Check[]> {
  const account = emptyAccount();
  const options = {
    strict: false,
    oneTransaction: true,
    timed: true,
    path: searchPathOf(archive.entries),
    onEntry: () => work.share.spendEntries(1),
  };
  const worker = new Worker(connection, archive, { owners: false, disableTriggers: false, encoding: "UTF8" });
  const engine = new Engine(
    worker,
    account,
    new EventTriggers(connection),
    () => Promise.resolve(null),
    options,
  );
  await connection.begin();
  for (const { what, sql } of plan.before) {
    const attempt = await connection.attempt(sql);
    if ("error" in attempt) account.leftOut.push({ entry: what, why: words(attempt.error) });
  }
  for (const { entries } of runsOf(lists.definitions)) {
    await engine.run(entries);
    await engine.settle();
  }
  engine.leaveOut(lists.definitions);
  await connection.commit();
  return [
    ...account.changed.map(({ entry, how, why }) => failed(RESTORE + entry, `${how}: ${why}`)),
    ...account.leftOut.map(({ entry, why }) => failed(RESTORE + entry, `left out: ${why}`)),
  ];
}

/** Runs what comes behind the rows; returns false when the next invocation has to go on. */
export async function runEntries(run: Drill): Promise<boolean> {
  const { work, state, lists, record } = run;
  for (; state.index < lists.rest.length; state.index++) {
    if (work.share.isUsed) {
      await record(`${lists.rest.length - state.index} definitions are left`);
      return false;
    }
    const entry = lists.rest[state.index]!;
    if (await define(run, entry) !== null) state.again.push(entry.dumpId);
    if (state.index % 50 === 49) {
      await record(`${labelOf(entry)} and ${lists.rest.length - state.index - 1} more`);
    }
  }
  // What was refused may have needed what came later.
  for (const entry of lists.rest.filter(({ dumpId }) => state.again.includes(dumpId))) {
    const error = await define(run, entry);
    if (error !== null) state.checks.push(refused(entry, error));
  }
  return true;
}

/**
 * Creates what an entry defines; returns why the server refuses it. An invocation that died may have created it
 * already.
 */
export async function define(
  { connection, archive, work }: Drill,
  entry: Entry,
): Promise<ServerError | null> {
  work.share.spendEntries(1);
  const { sql } = definitionOf(entry, { tablespace: null, tableam: null }, { owners: false });
  let attempt = await connection.attempt(sql);
  if ("error" in attempt && isUnresolved(attempt.error)) {
    attempt = await connection.attempt(under(searchPathOf(archive.entries), sql));
  }
  if ("result" in attempt || isCollision(attempt.error) || isSecondKey(attempt.error, entry)) return null;
  const { error } = attempt;
  if (isFatal(error) && error.code !== TOO_LONG) throw error;
  return error;
}

/** A table has one primary key, so what is there is this one. */
function isSecondKey({ code }: ServerError, { desc, definition }: Entry): boolean {
  return code === "42P16" && desc === "CONSTRAINT" &&
    / ADD CONSTRAINT .* PRIMARY KEY /.test(definition ?? "");
}

export function refused(entry: Entry, error: ServerError): Check {
  const what = RESTORE + labelOf(entry);
  return error.code === TOO_LONG
    ? { what, outcome: "unchecked", detail: "it takes longer than an invocation of the function lives" }
    : failed(what, words(error));
}

export function failed(what: string, detail: string): Check {
  return { what, outcome: "failed", detail };
}

/** Returns the labels of entries that did not come back, or were not tried. */
export function reportedIn(checks: readonly Check[]): Set<string> {
  return new Set(
    checks.filter(({ what }) => what.startsWith(RESTORE)).map(({ what }) => what.slice(RESTORE.length)),
  );
}
