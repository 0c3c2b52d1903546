/** Rows of a catalog query as the server's JSON: parsed by the runtime at once, and arrays are arrays. */
import type { Session } from "../postgres/session.ts";

export async function rows<Row>(session: Session, query: string): Promise<Row[]> {
  const result = await session.sql.unsafe<{ row: Row }[]>(`select to_json(q) as row from (${query}) as q`);
  return result.map(({ row }) => row);
}
