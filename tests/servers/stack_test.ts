/** `npm run stack -- --postgres N`: a project on a server of another version, and what can be done with its backup. */
import assert from "node:assert/strict";
import postgres from "postgres";
import type { StackStatus } from "../../stack/status.ts";
import { OTHER_VERSIONS, OWN_VERSION, withServerOf } from "./versions.ts";

const MAIN = decodeURIComponent(new URL("../../stack/main.ts", import.meta.url).pathname);

const CLI = decodeURIComponent(new URL("../../cli/main.ts", import.meta.url).pathname);

const DEADLINE_MS = 120_000;

for (const version of OTHER_VERSIONS) {
  Deno.test(`a project on PostgreSQL ${version} backs itself up`, async () => {
    await withServerOf(
      version,
      (binDir) =>
        withStack(["--postgres", String(version)], async ({ databaseUrl, ...status }) => {
          const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
          try {
            const [server] = await sql`select current_setting('server_version_num')::int / 10000 as major`;
            assert.equal(server!.major, version);
            await sql`select backup.start('manual')`;
            const run = await untilEnded(sql);
            assert.deepEqual({ status: run.status, error: run.error_message }, {
              status: "succeeded",
              error: null,
            });
            assert.deepEqual(run.warnings, []);
            assert.ok(Number(run.rows) > 0);
            await useBackup(status, binDir);
          } finally {
            await sql.end();
          }
        }),
    );
  });
}

Deno.test("a folder that is kept keeps the version of its server", async () => {
  const keep = await Deno.makeTempDir({ prefix: "kept-" });
  await Deno.chmod(keep, 0o711);
  const majorOf = async ({ databaseUrl }: StackStatus) => {
    const sql = postgres(databaseUrl, { max: 1 });
    try {
      return (await sql`select current_setting('server_version_num')::int / 10000 as major`)[0]!.major;
    } finally {
      await sql.end();
    }
  };
  const start = async (...options: string[]) => {
    let major = 0;
    const arguments_ = ["--keep", keep, "--no-migrate", ...options];
    await withStack(arguments_, async (status) => void (major = await majorOf(status)));
    return major;
  };
  try {
    assert.equal(await start("--postgres", String(OWN_VERSION)), OWN_VERSION);
    assert.equal(await start(), OWN_VERSION);
  } finally {
    await Deno.remove(keep, { recursive: true });
  }
});

/** Verifies the backup, and reads it with the version's own pg_restore. */
async function useBackup(
  { apiUrl, secretKey }: Pick<StackStatus, "apiUrl" | "secretKey">,
  binDir: string,
): Promise<void> {
  const archive = await Deno.makeTempFile({ prefix: "stack-", suffix: ".dump" });
  const env = { SUPABASE_URL: apiUrl, SUPABASE_SECRET_KEY: secretKey };
  try {
    await succeed(Deno.execPath(), ["run", "-A", "--no-check", CLI, "verify"], env);
    await Deno.remove(archive);
    await succeed(Deno.execPath(), ["run", "-A", "--no-check", CLI, "download", "--out", archive], env);
    assert.match(
      await succeed(`${binDir}/pg_restore`, ["--file=-", archive]),
      /^CREATE TABLE public\.profils /m,
    );
  } finally {
    await Deno.remove(archive);
  }
}

async function succeed(program: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Starts the stack as a process of its own, which may set its environment. */
async function withStack(options: string[], use: (status: StackStatus) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "stack-" });
  const status = `${folder}/status.json`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, "--status", status, ...options],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    let printed = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      printed += text;
      if (/service_role key: .*\n/.test(printed)) break;
    }
    assert.match(printed, /service_role key: /, "the stack did not start");
    await use(JSON.parse(await Deno.readTextFile(status)));
  } finally {
    child.kill("SIGTERM");
    await child.status;
    await Deno.remove(folder, { recursive: true });
  }
}

async function untilEnded(sql: postgres.Sql): Promise<Record<string, unknown>> {
  const deadline = Date.now() + DEADLINE_MS;
  while (Date.now() < deadline) {
    const [row] = await sql`select to_jsonb(l) as run from backup.log l where finished_at is not null`;
    if (row) return row.run;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error("the run did not end");
}
