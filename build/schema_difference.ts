/** What `supabase db diff` says leads from one set of SQL files to another. */
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { startProjectDatabase } from "../stack/postgres/project.ts";

const ROOT = fileURLToPath(import.meta.resolve("../"));
const SCHEMAS = { backup: ["backup"], versioning: ["versioning", "versioning_private"] };

export type Difference = Record<keyof typeof SCHEMAS, string>;

/**
 * Returns the SQL that makes a database that the migrations made like one that the schemas make; empty where nothing
 * differs. Throws when it does not: db diff leaves out what it does not know.
 */
export async function schemaDifference(
  migrations: Iterable<string>,
  schemas: Iterable<string>,
): Promise<Difference> {
  const [migrated, declared] = await Promise.all([startProjectDatabase(), startProjectDatabase()]);
  try {
    await run(migrated.url, migrations);
    await run(declared.url, schemas);
    const found = await difference(migrated.url, declared.url);
    await run(migrated.url, Object.values(found).filter((sql) => sql !== ""));
    const left = Object.values(await difference(migrated.url, declared.url)).join("");
    if (left !== "") throw new Error(`the difference is not complete; still missing:\n${left}`);
    return found;
  } finally {
    await Promise.all([migrated.stop(), declared.stop()]);
  }
}

/** Each file in a transaction of its own, as the CLI runs them. */
async function run(url: string, texts: Iterable<string>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    for (const text of texts) await sql.begin((transaction) => transaction.unsafe(text).simple());
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function difference(from: string, to: string): Promise<Difference> {
  const [backup, versioning] = [
    await diff(from, to, SCHEMAS.backup),
    await diff(from, to, SCHEMAS.versioning),
  ];
  return { backup, versioning };
}

async function diff(from: string, to: string, schemas: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(`${ROOT}node_modules/.bin/supabase`, {
    args: ["db", "diff", "--from", from, "--to", to, ...schemas.flatMap((schema) => ["--schema", schema])],
    cwd: ROOT,
    // The stack's server has no TLS; the CLI would say so among its answer.
    env: { PGSSLMODE: "disable" },
    stdin: "null",
  }).output();
  if (!success) throw new Error(`supabase db diff failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}
