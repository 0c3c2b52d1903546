/** What the platform gives a function, and what it takes from it. */
import assert from "node:assert/strict";
import { functionEnv } from "../../../stack/functions/env.ts";
import { projectKeys } from "../../../stack/keys.ts";
import { withFunctions } from "./runner.ts";

/** A function that tries each of `attempts` and answers with what came of them. */
function trying(attempts: Record<string, string>): string {
  const tries = Object.entries(attempts).map(([name, code]) =>
    `[${JSON.stringify(name)}, async () => ${code}]`
  );
  return `
    import { spawn } from "node:child_process";
    import { Worker as Thread } from "node:worker_threads";
    export default { async fetch() {
      const results = {};
      for (const [name, attempt] of [${tries.join(", ")}]) {
        try { results[name] = await attempt(); } catch (error) { results[name] = error.name + ": " + error.message; }
      }
      return Response.json(results);
    } };`;
}

async function attempt(attempts: Record<string, string>, env = {}): Promise<Record<string, unknown>> {
  let results = {};
  await withFunctions({ trying: trying(attempts) }, { env }, async ({ call }) => {
    results = await (await call("/trying")).json();
  });
  return results;
}

Deno.test("[functions] a subprocess is refused, by any name", async () => {
  const results = await attempt({
    command: `new Deno.Command("true").output()`,
    child: `new Promise((resolve, reject) => spawn("true").on("error", reject).on("exit", resolve))`,
  });
  const refused = /PermissionDenied: Spawning subprocesses is not allowed/;
  assert.match(String(results.command), refused);
  // Node's way asks for the environment first, and what that lacks depends on the environment of the tests.
  assert.match(String(results.child), new RegExp(`${refused.source}|NotCapable: Requires `));
});

Deno.test("[functions] there is no Worker, by any name", async () => {
  const results = await attempt({
    thread: `new Thread("data:text/javascript,")`,
    type: `typeof Worker`,
    made: `new Worker("data:text/javascript,", { type: "module" })`,
  });
  assert.equal(results.type, "undefined");
  assert.match(String(results.made), /ReferenceError: Worker is not defined/);
  assert.match(String(results.thread), /PermissionDenied: Worker threads are not available/);
});

Deno.test("[functions] mail ports are closed", async () => {
  const results = await attempt({
    smtp: `Deno.connect({ hostname: "127.0.0.1", port: 25 })`,
    submission: `Deno.connectTls({ hostname: "127.0.0.1", port: 587 })`,
  });
  assert.match(String(results.smtp), /PermissionDenied: Outgoing connections to port 25 /);
  assert.match(String(results.submission), /PermissionDenied: Outgoing connections to port 587 /);
});

Deno.test("[functions] the disk is the function's own folder to read and a scratch folder to write", async () => {
  const results = await attempt({
    own: `Deno.readTextFile(new URL(import.meta.url)).then((text) => text.length > 100)`,
    temporary: `Deno.makeTempFile().then((path) => Deno.remove(path).then(() => path))`,
    passwd: `Deno.readTextFile("/etc/passwd")`,
    write: `Deno.writeTextFile("/var/tmp/written", "")`,
  });
  assert.equal(results.own, true);
  // Not in this machine's /tmp, which may be closed to the worker.
  assert.match(String(results.temporary), /\/scratch\/[^/]+$/);
  assert.match(String(results.passwd), /NotCapable: Requires read access/);
  assert.match(String(results.write), /NotCapable: Requires write access/);
});

Deno.test("[functions] the environment is what the project gives, and nothing of this machine's", async () => {
  const keys = await projectKeys();
  const env = functionEnv({
    url: "http://127.0.0.1:1",
    databaseUrl: "postgresql://127.0.0.1:2/postgres",
    keys,
  });
  const { seen } = await attempt({ seen: `Deno.env.toObject()` }, env) as { seen: Record<string, string> };
  const { SB_EXECUTION_ID, ...rest } = seen;
  assert.match(SB_EXECUTION_ID!, /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, env);
  assert.deepEqual(JSON.parse(rest.SUPABASE_SECRET_KEYS!), { default: keys.secretKey });
});

Deno.test("[functions] no worker is root, not even where only root can read the sources", async () => {
  await withFunctions({ trying: trying({}) }, {}, async ({ functionsDir, call, worker }) => {
    await Deno.chmod(`${functionsDir}/trying/index.ts`, 0o600);
    await Deno.chmod(functionsDir, 0o700);
    assert.equal(await (await call("/trying")).text(), "{}");
    const uids = /^Uid:\s*(.*)$/m.exec(Deno.readTextFileSync(`/proc/${worker().pid}/status`))![1]!;
    assert.ok(!uids.split(/\s+/).includes("0"), uids);
  });
});
