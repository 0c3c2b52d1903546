/** Rows of a catalog query as the server's JSON: parsed by the runtime at once, and arrays are arrays. */
import type { Session } from "../postgres/session.ts";

/** Rows in one message: the driver's work is per message, ours per row, and a message is held whole beside its rows. */
const BATCH = 64;

/** The rows of a query in its order. */
export async function queryJson<Row>(session: Session, query: string): Promise<Row[]> {
  const all: Row[] = [];
  await eachJsonRow<Row>(session, query, (row) => all.push(row));
  return all;
}

/** Hands the rows of a query to `take` as they come, so that no more than a message of them need be kept. */
export async function eachJsonRow<Row>(
  session: Session,
  query: string,
  take: (row: Row) => void,
): Promise<void> {
  await session.sql.unsafe<{ batch: Row[] }[]>(`
    select json_agg(n.q order by n.place) as batch
    from (select q, row_number() over () as place from (${query}) as q) as n
    group by (n.place - 1) / ${BATCH}
    order by (n.place - 1) / ${BATCH}`).forEach(({ batch }) => {
    for (const row of batch) take(row);
  });
}
