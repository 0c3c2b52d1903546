/** Applies the project's migrations as a person does: with the Supabase CLI. */

export interface PushOptions {
  /** Role `postgres`. */
  databaseUrl: string;
  /** Runs the seed files of config.toml too; the CLI remembers which ran. */
  seed?: boolean;
}

const ROOT = new URL("../", import.meta.url);

/** Throws with the CLI's words when a migration fails. */
export async function pushMigrations({ databaseUrl, seed = false }: PushOptions): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(
    new URL("node_modules/.bin/supabase", ROOT).pathname,
    {
      args: ["db", "push", `--remote=${databaseUrl}`, "--yes", ...(seed ? ["--include-seed"] : [])],
      cwd: ROOT.pathname,
      stdin: "null",
      // The stack's PostgreSQL speaks no TLS; loopback needs none.
      env: { PGSSLMODE: "disable" },
    },
  ).output();
  if (success) return;
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim()).join("\n");
  throw new Error(`supabase db push failed:\n${text.replaceAll(databaseUrl, "<database URL>")}`);
}
