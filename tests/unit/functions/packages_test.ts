import assert from "node:assert/strict";
import { join } from "node:path";
import { withFunctions } from "./runner.ts";

const PROJECT = join(import.meta.dirname!, "../../..");

/** Every way to the network leads to a port where nobody listens. */
const NO_NETWORK = { HTTP_PROXY: "http://127.0.0.1:9", HTTPS_PROXY: "http://127.0.0.1:9" };

const SOURCE = `
  import postgres from "postgres";
  import { createClient } from "@supabase/supabase-js";
  const sql = postgres("postgresql://127.0.0.1:1/postgres");
  const { storage } = createClient("http://127.0.0.1:1", "a key");
  export default { fetch: () => Response.json([typeof sql.begin, typeof storage.from("bucket").upload]) };`;

Deno.test("[functions] the product's packages are found without network, by its own deno.json", async () => {
  await withFunctions({ two: SOURCE }, { env: NO_NETWORK }, async ({ functionsDir, call, worker, logs }) => {
    await Deno.symlink(join(PROJECT, "node_modules"), join(functionsDir, "node_modules"));
    await Deno.copyFile(join(PROJECT, "package.json"), join(functionsDir, "package.json"));
    await Deno.copyFile(
      join(PROJECT, "supabase/functions/backup/deno.json"),
      join(functionsDir, "two/deno.json"),
    );
    const answer = await (await call("/two")).text();
    assert.equal(answer, `["function","function"]`, logs.map(({ message }) => message).join("\n"));
    assert.ok(worker().bootCpuMs < 500, `${worker().bootCpuMs} ms of CPU to boot`);
  });
});

Deno.test("[functions] a package that the project has in another version is named", async () => {
  await withFunctions({ two: SOURCE }, {}, async ({ functionsDir, call, logs }) => {
    await Deno.symlink(join(PROJECT, "node_modules"), join(functionsDir, "node_modules"));
    await Deno.copyFile(join(PROJECT, "package.json"), join(functionsDir, "package.json"));
    await Deno.writeTextFile(
      join(functionsDir, "two/deno.json"),
      `{ "imports": { "postgres": "npm:postgres@0.0.1" } }`,
    );
    assert.equal((await (await call("/two")).json()).code, "BOOT_ERROR");
    assert.match(logs.map(({ message }) => message).join("\n"), /npm:postgres@0\.0\.1/);
  });
});
