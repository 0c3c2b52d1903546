/** The schemas of ours that a database has, as text to compare. */
import type { ProjectDatabase } from "../../stack/postgres/project.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** What migrations make; the demo's tables are a matter of the seed. */
const OUR_SCHEMAS = ["backup", "versioning", "versioning_private"];

/** `pg_dump --schema-only` of our schemas. Throws with pg_dump's own words. */
export async function schemaText({ cluster, url }: ProjectDatabase): Promise<string> {
  const text = await output(`${cluster.binDir}/pg_dump`, [
    "--schema-only",
    ...OUR_SCHEMAS.map((schema) => `--schema=${schema}`),
    url,
  ]);
  // A random word against commands of psql in names, new with each dump.
  return text.replace(/^\\(un)?restrict .*\n/gm, "");
}

/** What the CLI would do to make `from` like `to`; empty when nothing differs. */
export async function difference(from: ProjectDatabase, to: ProjectDatabase): Promise<string> {
  const schemas = OUR_SCHEMAS.flatMap((schema) => ["--schema", schema]);
  return (await supabase("db", "diff", "--from", from.url, "--to", to.url, ...schemas)).trim();
}

/** Runs the CLI in the checkout; answers standard output, throws with standard error. */
export async function supabase(...args: string[]): Promise<string> {
  return await supabaseIn(ROOT, ...args);
}

/** Runs the CLI in a project's folder. */
export async function supabaseIn(cwd: string, ...args: string[]): Promise<string> {
  return await output(`${ROOT}node_modules/.bin/supabase`, args, cwd);
}

async function output(program: string, args: string[], cwd = ROOT): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    // The stack's server has no TLS; the CLI would say so among its answer.
    env: { PGSSLMODE: "disable" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`${program} ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
