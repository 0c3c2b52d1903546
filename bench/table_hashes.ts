/**
 * Are two databases equal? Rows and a hash of their content for each table, in any order of rows and whatever the size.
 */
import postgres from "postgres";

/** Text must not depend on what a server or role has set. */
const CONNECTION = {
  extra_float_digits: 3,
  TimeZone: "UTC",
  DateStyle: "ISO",
  IntervalStyle: "postgres",
  // As text: the library leaves a zero out.
  statement_timeout: "0" as unknown as number,
};

/** `{"public.posts": "120 rows, 8236…"}` of all tables with rows of their own in `schema`. */
export async function tableHashes(url: string, schema = "public"): Promise<Record<string, string>> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection: CONNECTION });
  try {
    const tables = await sql<{ name: string }[]>`
      select format('%I.%I', n.nspname, c.relname) as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname = ${schema} order by 1`;
    const hashes: Record<string, string> = {};
    for (const { name } of tables) {
      // Two sums of 64 bits with different seeds: nothing grows with the table, and the order says nothing.
      const [row] = await sql.unsafe<{ rows: string; hash: string }[]>(`
        select count(*) as rows, concat_ws(':', sum(hashtextextended(t::text, 1)), sum(hashtextextended(t::text, 2))) as hash
        from ${name} t`);
      hashes[name] = `${row!.rows} rows, ${row!.hash}`;
    }
    return hashes;
  } finally {
    await sql.end();
  }
}
