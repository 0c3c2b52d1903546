/** Queues of pgmq: its list of them is restored as rows, their tables are made by its own function. */
import { literal } from "../catalog/catalog.ts";
import type { Entry } from "../entry.ts";
import type { Account } from "./account.ts";
import type { Connection } from "./connection.ts";
import { words } from "./server_error.ts";

/** Returns whether the entry has the list's rows, on their way through a staging table or not. */
export function isQueueList({ namespace, tag, hasData }: Entry): boolean {
  return hasData && (tag === "pgmq.meta" || (namespace === "pgmq" && tag === "meta"));
}

interface Queue {
  name: string;
  unlogged: boolean;
  partitioned: boolean;
}

/** Functions of that name which other roles made do not count. */
const MISSING = `
  select m.queue_name::pg_catalog.text as name, m.is_unlogged as unlogged, m.is_partitioned as partitioned
  from pgmq.meta m
  where pg_catalog.to_regclass(pg_catalog.format('pgmq.%I', 'q_' || pg_catalog.lower(m.queue_name::pg_catalog.text))) is null
  order by 1`;

const IS_PGMQ = `
  select from pg_catalog.pg_depend d join pg_catalog.pg_extension x on x.oid = d.refobjid and x.extname = 'pgmq'
  where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.deptype = 'e'
    and d.objid = pg_catalog.to_regprocedure('pgmq.create(text)')`;

/** Creates the queues that the restored list names and the target lacks. */
export async function createQueues(
  connection: Connection,
  account: Account,
): Promise<void> {
  const ours = await connection.attemptQuery(IS_PGMQ);
  if ("error" in ours || ours.result.length === 0) return;
  const missing = await connection.attemptQuery<Queue>(MISSING);
  if ("error" in missing) return;
  for (const { name, unlogged, partitioned } of missing.result) {
    const create = `select pgmq.${unlogged ? "create_unlogged" : "create"}(${literal(name)})`;
    if (partitioned) {
      account.leftOut.push({
        entry: `queue ${name}`,
        why: "it is partitioned, and only you know how",
        mend: [`select pgmq.create_partitioned(${literal(name)}, …);`],
      });
      continue;
    }
    const attempt = await connection.attempt(create);
    if ("result" in attempt) account.notes.push(`Queue "${name}" was created again`);
    else account.leftOut.push({ entry: `queue ${name}`, why: words(attempt.error), mend: [`${create};`] });
  }
}
