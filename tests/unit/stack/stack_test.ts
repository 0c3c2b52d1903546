import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { migrationsContent, pushMigrations } from "../../../stack/migrations.ts";
import { type ProjectDatabase, startProjectDatabase } from "../../../stack/postgres/project.ts";
import { descendants } from "./processes.ts";
import { type Stack, type StackOptions, startStack } from "../../../stack/stack.ts";

async function withStack<T>(options: StackOptions, run: (stack: Stack) => Promise<T>): Promise<T> {
  const stack = await startStack({ migrate: "directly", ...options });
  try {
    return await run(stack);
  } finally {
    await stack.stop();
  }
}

function bucketOf({ apiUrl }: Stack, key: string) {
  const client = createClient(apiUrl, key, { auth: { autoRefreshToken: false, persistSession: false } });
  return client.storage.from("backups");
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return (await sql.unsafe(text)).map((row) => ({ ...row }));
  } finally {
    await sql.end();
  }
}

/** The database's definition as text, without what pg_dump makes up anew each time. */
async function definition({ cluster, superuserUrl }: ProjectDatabase): Promise<string> {
  const { stdout, success, stderr } = await new Deno.Command(`${cluster.binDir}/pg_dump`, {
    args: ["--schema-only", "-d", superuserUrl],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).replace(/^\\(un)?restrict .*$/gm, "");
}

Deno.test("[startStack] is a project: database, Storage and functions behind one URL and its keys", async () => {
  await withStack({}, async (stack) => {
    const { apiUrl, databaseUrl, keys } = stack;
    const [settings] = await query(databaseUrl, "select function_url from backup.settings");
    assert.equal(settings!.function_url, `${apiUrl}/functions/v1/backup`);

    const bucket = bucketOf(stack, keys.secretKey);
    const stored = await bucket.upload("a.json", new Blob(["{}"]), { contentType: "application/json" });
    assert.equal(stored.error, null);
    const stranger = bucketOf(stack, keys.publishableKey);
    assert.deepEqual((await stranger.list()).data, []);
    assert.ok((await stranger.download("a.json")).error);

    const response = await fetch(`${apiUrl}/functions/v1/no-such-function`);
    assert.equal(response.status, 404);
    await response.body?.cancel();
  });
});

Deno.test("[startStack] hands the call from SQL through pg_net to a test's own answer", async () => {
  const seen: string[] = [];
  const intercept = async (request: Request) => {
    if (!request.url.endsWith("/functions/v1/hook")) return null;
    seen.push(await request.text());
    return new Response("taken", { status: 202 });
  };
  await withStack({ migrate: false, intercept }, async ({ apiUrl, databaseUrl }) => {
    const call = `select net.http_post('${apiUrl}/functions/v1/hook', '{"a": 1}') as id`;
    const [request] = await query(databaseUrl, call);
    const answer = `select (net._http_collect_response(${request!.id}, async := false)).*`;
    const [result] = await query(databaseUrl, answer);
    assert.equal(result!.status, "SUCCESS");
    assert.match(String(result!.response), /^\(202,.*,taken\)$/);
    assert.deepEqual(seen, ['{"a": 1}']);
  });
});

Deno.test("[startStack] keeps data, files, keys and passwords, and leads jobs to the new port", async () => {
  const parent = await Deno.makeTempDir();
  await Deno.chmod(parent, 0o755);
  const keep = `${parent}/kept`;
  try {
    const first = await withStack({ keep }, async (stack) => {
      const { keys, databaseUrl } = stack;
      const bucket = bucketOf(stack, keys.secretKey);
      await bucket.upload("a.json", new Blob(["{}"]), { contentType: "application/json" });
      return { keys, url: new URL(databaseUrl) };
    });
    await withStack({ keep }, async (stack) => {
      const { keys, databaseUrl, database } = stack;
      assert.deepEqual(keys, first.keys);
      assert.equal(new URL(databaseUrl).password, first.url.password);
      const bucket = bucketOf(stack, keys.secretKey);
      assert.equal(await (await bucket.download("a.json")).data!.text(), "{}");
      const jobs = await query(databaseUrl, "select distinct nodeport from cron.job");
      assert.deepEqual(jobs, [{ nodeport: database.cluster.port }]);
    });
    for (const file of ["keys.json", "storage", "database/database-secret"]) {
      assert.equal((await Deno.stat(`${keep}/${file}`)).mode! & 0o077, 0, file);
    }
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

Deno.test("[startStack] leaves nothing running when a part does not start", async () => {
  const before = await descendants(Deno.pid);
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const { port } = taken.addr as Deno.NetAddr;
    await assert.rejects(startStack({ port, migrate: false }), Deno.errors.AddrInUse);
    await assert.rejects(startStack({ databasePort: port, migrate: false }), /PostgreSQL did not start/);
    assert.deepEqual(await descendants(Deno.pid), before);
  } finally {
    taken.close();
  }
});

Deno.test("[migrationsContent] leaves what `supabase db push` leaves", async () => {
  const [direct, pushed] = await Promise.all([startProjectDatabase(), startProjectDatabase()]);
  const migrations = await migrationsContent();
  try {
    await Promise.all([migrations.apply(direct.url), pushMigrations(pushed.url)]);
    const versions = "select version, name from supabase_migrations.schema_migrations order by version";
    assert.deepEqual(await query(direct.url, versions), await query(pushed.url, versions));
    assert.equal(await definition(direct), await definition(pushed));
    // Both find nothing left to do.
    const before = await definition(direct);
    await migrations.apply(direct.url);
    await pushMigrations(direct.url);
    assert.equal(await definition(direct), before);
  } finally {
    await Promise.all([direct.stop(), pushed.stop()]);
  }
});

Deno.test("[pushMigrations] says what the CLI said, without the password", async () => {
  const url = "postgresql://postgres:hush@127.0.0.1:1/postgres";
  await assert.rejects(pushMigrations(url), (error: Error) => {
    assert.match(error.message, /^supabase db push failed:\n[\s\S]*connect/i);
    assert.ok(!error.message.includes("hush"));
    return true;
  });
});
