/** Rows of tables that belong to an extension: they go where the target has the table, beside the rows that it has. */
import { countLines } from "../archive/pieces.ts";
import type { OpenArchive } from "../archive/reader.ts";
import { literal } from "../catalog/catalog.ts";
import { type Entry, EXTENSION_SEQUENCE } from "../entry.ts";
import type { Account } from "./account.ts";
import type { RestorePlan } from "./plan.ts";
import { labelOf, qualified, quoted } from "./names.ts";
import { createQueues, isQueueList } from "./queues.ts";
import { type ServerError, words } from "./server_error.ts";
import { columnsOf } from "./sql_names.ts";
import type { Worker } from "./worker.ts";

/** A copy of the table without its keys, for rows of which the table may have some. */
const STAGE = { namespace: "pg_temp", tag: "supabase_backup_rows" };

interface TableThere {
  columns: string[];
  empty: boolean;
  /** A key tells which rows are there. */
  unique: boolean;
}

/** Restores them after everything else. What the target cannot take is left out, with its number of rows. */
export async function restoreExtensionRows(
  worker: Worker,
  archive: OpenArchive,
  plan: RestorePlan,
  account: Account,
): Promise<void> {
  const entries = plan.extensionRows ?? [];
  // The list of queues comes first, where it is not configuration: their tables are made by it.
  const lists = entries.filter(isQueueList);
  await restoreEach(worker, archive, lists, account);
  if ([...entries, ...plan.entries].some(isQueueList)) await createQueues(worker.connection, account);
  await restoreEach(worker, archive, entries.filter((entry) => !isQueueList(entry)), account);
}

async function restoreEach(
  worker: Worker,
  archive: OpenArchive,
  entries: readonly Entry[],
  account: Account,
): Promise<void> {
  for (const entry of entries) {
    const why = entry.desc === EXTENSION_SEQUENCE
      ? await setSequence(worker, entry)
      : await restoreRows(worker, entry, account);
    if (why === null) account.asInBackup++;
    else if (why !== "") {
      const rows = entry.hasData ? `${await countRows(archive, entry)} rows: ` : "";
      account.leftOut.push({ entry: labelOf(entry), why: rows + why });
    }
  }
}

/** Returns null when all is as in the backup, "" when the account says what is not, else why it is left out. */
async function restoreRows(worker: Worker, entry: Entry, account: Account): Promise<string | null> {
  const { connection } = worker;
  const table = qualified(entry.namespace, entry.tag);
  const there = await tableThere(worker, entry);
  if (there === null) return "the target has no such table; its extension has not created it";
  const columns = columnsOf(entry.copy ?? "");
  const shared = columns.filter((column) => there.columns.includes(column));
  const lost = columns.filter((column) => !there.columns.includes(column));
  let rows: number;
  if (there.empty && lost.length === 0) {
    const attempt = await worker.run(entry);
    if ("error" in attempt) return words(attempt.error);
    rows = attempt.result;
  } else {
    if (!there.empty && !there.unique) {
      return "the target's table has rows already, and no key that tells which are missing";
    }
    const attempt = await throughStage(worker, entry, table, { columns, shared, lost });
    await connection.attempt(`drop table if exists ${qualified(STAGE.namespace, STAGE.tag)}`);
    if ("error" in attempt) return words(attempt.error);
    rows = attempt.result;
  }
  account.rows += rows;
  if (lost.length === 0) return null;
  const how = `without the columns ${lost.join(", ")}`;
  account.changed.push({ entry: labelOf(entry), how, why: "the target's table lacks them" });
  return "";
}

/** Returns null where the role sees no such table. */
async function tableThere({ connection }: Worker, { namespace, tag }: Entry): Promise<TableThere | null> {
  const name = qualified(namespace, tag);
  const found = await connection.attemptQuery<{ columns: string[] | null; unique: boolean }>(`
    select (select pg_catalog.json_agg(a.attname order by a.attnum)
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
      exists (select from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisunique) as unique
    from pg_catalog.pg_class c
    where c.oid = pg_catalog.to_regclass(${literal(name)}) and c.relkind in ('r', 'p')`);
  if ("error" in found || found.result.length === 0) return null;
  const rows = await connection.attemptQuery<{ empty: boolean }>(
    `select not exists (select from ${name}) as empty`,
  );
  if ("error" in rows) return null;
  const [{ columns, unique }] = found.result as [typeof found.result[number]];
  return { columns: columns ?? [], unique, empty: rows.result[0]!.empty };
}

/** Inserts the rows whose keys the table does not have. Returns their number, or the server's error. */
async function throughStage(
  worker: Worker,
  entry: Entry,
  table: string,
  { columns, shared, lost }: Record<"columns" | "shared" | "lost", readonly string[]>,
): Promise<{ result: number } | { error: ServerError }> {
  const { connection } = worker;
  const stage = qualified(STAGE.namespace, STAGE.tag);
  const list = (names: readonly string[]) => names.map(quoted).join(", ");
  const created = await connection.attempt([
    `create temporary table ${quoted(STAGE.tag)} (like ${table})`,
    ...lost.map((column) => `alter table ${stage} add column ${quoted(column)} pg_catalog.text`),
  ].join(";\n"));
  if ("error" in created) return created;
  const copied = await worker.run({
    ...entry,
    ...STAGE,
    copy: `COPY ${stage} (${list(columns)}) FROM stdin;\n`,
  });
  if ("error" in copied) return copied;
  const inserted = await connection.attemptQuery<{ rows: number }>(`
    with inserted as (
      insert into ${table} (${list(shared)}) overriding system value
      select ${list(shared)} from ${stage} on conflict do nothing returning 1
    )
    select pg_catalog.count(*)::pg_catalog.int4 as rows from inserted`);
  return "error" in inserted ? inserted : { result: inserted.result[0]!.rows };
}

/** Sets it unless the target's is further. */
async function setSequence({ connection }: Worker, { namespace, tag, copy }: Entry): Promise<string | null> {
  const [, last] = /, (-?\d+), true\);\s*$/.exec(copy ?? "") ?? [];
  if (last === undefined) return "the archive does not say how far it is";
  const sequence = literal(qualified(namespace, tag));
  const set = await connection.attemptQuery(`
    select pg_catalog.setval(s.seqrelid::pg_catalog.regclass, greatest(${last}, coalesce(
      pg_catalog.pg_sequence_last_value(s.seqrelid::pg_catalog.regclass), ${last})))
    from pg_catalog.pg_sequence s where s.seqrelid = pg_catalog.to_regclass(${sequence})`);
  if ("error" in set) return words(set.error);
  return set.result.length === 0 ? "the target has no such sequence; its extension has not created it" : null;
}

/** The end mark and two empty lines end the text of rows. */
const END_LINES = 3;

async function countRows(archive: OpenArchive, { dumpId }: Entry): Promise<number> {
  let lines = 0;
  for await (const piece of archive.rows(dumpId)) {
    lines += countLines(piece);
  }
  return Math.max(0, lines - END_LINES);
}
