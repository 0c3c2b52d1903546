/** The way back, with nothing but stock programs: the parts of a backup joined, and pg_restore. */
import type { SupabaseClient } from "@supabase/supabase-js";
import postgres from "postgres";
import type { Cluster } from "../../stack/postgres/cluster.ts";
import { RESTORED } from "../../stack/postgres/restore_target.ts";

/** Joins the parts of a backup in name order into one file, as `cat` would. */
export async function joinParts(client: SupabaseClient, name: string, path: string): Promise<void> {
  const bucket = client.storage.from("backups");
  const { data: objects, error } = await bucket.list(name, { limit: 1000 });
  if (error) throw error;
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  for (const part of objects.map((object) => object.name).filter((part) => part.endsWith(".dump")).sort()) {
    const { data, error } = await bucket.download(`${name}/${part}`);
    if (error) throw error;
    await data.stream().pipeTo(file.writable, { preventClose: true });
  }
}

/** Restores with the stock pg_restore; throws with its words unless all went well. */
export async function restore(target: Cluster, path: string, ...options: string[]): Promise<void> {
  await program(target, "pg_restore", ["--exit-on-error", "-d", target.url(RESTORED), ...options, path]);
}

/**
 * `pg_dump --schema-only`, without what differs between any two dumps: versions, tokens, and the order of default
 * privileges, which are listed in the order in which they were granted.
 */
export async function schemaOf(cluster: Cluster, url: string): Promise<string> {
  const text = await program(cluster, "pg_dump", ["--schema-only", "-d", url]);
  return text.replace(/^-- Dumped .*$/gm, "").replace(/^\\(un)?restrict \w+$/gm, "")
    .replace(/(^ALTER DEFAULT PRIVILEGES .*\n)+/gm, (grants) => grants.split("\n").sort().join("\n"));
}

/** Rows and a hash of their text for each user table, in any order of rows. */
export async function contentOf(url: string, leftOut: RegExp): Promise<Record<string, string>> {
  // Text must not depend on what a server or role has set.
  const connection = { extra_float_digits: 3, TimeZone: "UTC", DateStyle: "ISO", IntervalStyle: "postgres" };
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection });
  try {
    const tables = await sql<{ name: string }[]>`
      select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`;
    const content: Record<string, string> = {};
    for (const { name } of tables) {
      if (leftOut.test(name)) continue;
      const [row] = await sql.unsafe<{ rows: string; hash: string }[]>(
        `select count(*) as rows, md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) as hash from ${name} t`,
      );
      content[name] = `${row!.rows} rows, ${row!.hash}`;
    }
    return content;
  } finally {
    await sql.end();
  }
}

async function program(cluster: Cluster, name: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(`${cluster.binDir}/${name}`, { args }).output();
  if (!success) throw new Error(`${name} failed: ${new TextDecoder().decode(stderr).trim().slice(-2000)}`);
  return new TextDecoder().decode(stdout);
}
