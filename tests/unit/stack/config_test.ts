import assert from "node:assert/strict";
import { projectConfig } from "../../../stack/config.ts";

async function read(text: string) {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    return await projectConfig(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("[projectConfig] reads each function's verify_jwt and Storage's limit", async () => {
  const config = await read(`
project_id = "p"
# [functions.comment]
[storage]
enabled = true
file_size_limit = "50MiB" # as the CLI's default
[functions.backup]
verify_jwt = false
[functions.other-one]
  verify_jwt = true
[auth]
verify_jwt = false
`);
  assert.deepEqual(config, { verifyJwt: { backup: false, "other-one": true }, fileSizeLimit: 52_428_800 });
});

Deno.test("[projectConfig] reads sizes as the CLI does", async () => {
  const cases = { "500MB": 524_288_000, "1GiB": 1_073_741_824, "100k": 102_400, "77": 77 };
  for (const [text, bytes] of Object.entries(cases)) {
    assert.equal((await read(`[storage]\nfile_size_limit = "${text}"`)).fileSizeLimit, bytes);
  }
  await assert.rejects(read('[storage]\nfile_size_limit = "much"'), /"much" is not a valid size/);
});

Deno.test("[projectConfig] reads this project's own file", async () => {
  const config = await projectConfig(new URL("../../../supabase/config.toml", import.meta.url));
  assert.deepEqual(config, { verifyJwt: { backup: false }, fileSizeLimit: 524_288_000 });
});
