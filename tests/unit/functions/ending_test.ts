/** What is left when the runner ends: nothing. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startFunctions } from "../../../stack/functions/functions.ts";
import { lives, until, withFunctions, writeFunctions } from "./runner.ts";

const SOURCES = {
  loop: `export default { fetch() { for (;;); } };`,
  hang: `
    addEventListener("beforeunload", (event) => console.log("beforeunload", event.detail.reason));
    export default { fetch: () => new Promise(() => {}) };`,
  idle: `
    addEventListener("beforeunload", (event) => console.log("beforeunload", event.detail.reason));
    export default { fetch: () => new Response() };`,
};

/** Gives `use` a temporary folder of its own; nothing may be left in it. */
async function withTemporaryFolder(use: () => Promise<void>): Promise<void> {
  const before = Deno.env.get("TMPDIR") ?? "/tmp";
  const folder = await Deno.makeTempDir({ prefix: "functions-test-" });
  await Deno.chmod(folder, 0o755);
  Deno.env.set("TMPDIR", folder);
  try {
    await use();
    await until(() => [...Deno.readDirSync(folder)].length === 0);
  } finally {
    Deno.env.set("TMPDIR", before);
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("[functions] stop() tells the workers, ends them and leaves nothing", async () => {
  let pids: number[] = [];
  const told: string[] = [];
  await withTemporaryFolder(() =>
    withFunctions(SOURCES, { log: ({ message }) => told.push(message) }, async ({ call, workers }) => {
      await (await call("/idle")).text();
      // The loop last: it uses up an isolate's CPU in two seconds.
      for (const path of ["/hang", "/loop"]) {
        call(path).then((response) => response.body?.cancel(), () => {});
        await until(() =>
          workers().at(-1)!.function === path.slice(1) && workers().at(-1)!.state === "serving"
        );
      }
      assert.equal(workers().length, 3);
      pids = workers().map(({ pid }) => pid);
      assert.ok(pids.every(lives));
    })
  );
  assert.deepEqual(pids.filter(lives), []);
  assert.equal(told.filter((message) => message === "beforeunload termination").length, 2);
});

Deno.test("[functions] stop() ends a worker that is still booting", async () => {
  const sources = { boots: `await new Promise((resolve) => setTimeout(resolve, 60_000));` };
  await withFunctions(sources, {}, async ({ call, workers, stop }) => {
    const answer = call("/boots");
    await until(() => workers().length === 1);
    const stopped = stop();
    assert.equal((await (await answer).json()).code, "WORKER_RESOURCE_LIMIT");
    await stopped;
    assert.equal(lives(workers()[0]!.pid), false);
  });
});

for (const how of ["kill", "throw"]) {
  Deno.test(`[functions] the death of the runner (${how}) leaves nothing, not even an endless loop`, () =>
    withTemporaryFolder(async () => {
      const functionsDir = await writeFunctions(SOURCES);
      const runner = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", join(import.meta.dirname!, "parent.ts"), functionsDir, how],
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const reader = runner.stdout.pipeThrough(new TextDecoderStream()).getReader();
      const { value } = await reader.read();
      const pids = value!.trim().split(" ").map(Number);
      assert.equal(pids.length, 2);
      if (how === "kill") {
        assert.ok(pids.every(lives));
        runner.kill("SIGKILL");
      }
      assert.equal((await runner.status).success, false);
      await until(() => !pids.some(lives));
      await reader.cancel();
      await Deno.remove(functionsDir, { recursive: true });
    }));
}

Deno.test("[functions] a folder that is not there is refused at the start", async () => {
  const options = { functionsDir: "/nowhere/functions", env: {}, jwtSecret: "a secret" };
  await assert.rejects(startFunctions(options), /nowhere\/functions/);
});

Deno.test("[functions] a port that is taken is told, and leaves nothing", async () => {
  await withTemporaryFolder(() =>
    withFunctions({}, {}, async ({ url, functionsDir }) => {
      const port = Number(new URL(url).port);
      await assert.rejects(
        startFunctions({ functionsDir, env: {}, jwtSecret: "a secret", port }),
        Deno.errors.AddrInUse,
      );
    })
  );
});
