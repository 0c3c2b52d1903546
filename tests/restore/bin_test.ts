/** The package's own command, from any folder. */
import assert from "node:assert/strict";

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command("node", {
    args: [decodeURIComponent(new URL("../../cli/supabase-backup.mjs", import.meta.url).pathname), ...args],
    cwd: await Deno.realPath("/tmp"),
    stdin: "null",
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, error: error! };
}

Deno.test("supabase-backup runs a command with its options, and ends as it ends", async () => {
  const help = await run("restore", "--help");
  assert.deepEqual([help.code, /--into-schema/.test(help.out)], [0, true], help.error);
  const wrong = await run("verify", "--nonsense");
  assert.deepEqual([wrong.code, /nonsense/.test(wrong.error)], [2, true]);
  const missing = await run("verify", "--from", "/no/such/folder");
  assert.deepEqual([missing.code, /Cannot open "\/no\/such\/folder"/.test(missing.error)], [1, true]);
});

Deno.test("supabase-backup names its commands", async () => {
  const none = await run();
  assert.deepEqual([none.code, /^ {2}drill .*\n {2}restore .*\n/m.test(none.out)], [0, true]);
  const unknown = await run("../restore");
  assert.deepEqual([unknown.code, /Unknown command '\.\.\/restore'/.test(unknown.error)], [2, true]);
});
