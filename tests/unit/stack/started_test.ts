import assert from "node:assert/strict";
import { Started } from "../../../stack/started.ts";

Deno.test("[Started] ends everything once, last first, and throws the first failure afterwards", async () => {
  const started = new Started();
  const ended: string[] = [];
  const end = (name: string) => Promise.resolve(ended.push(name));
  assert.equal(started.add("a", end), "a");
  started.add("b", () => Promise.reject(new Error("b failed")));
  started.add("c", end);
  await assert.rejects(started.end(), /^Error: b failed$/);
  assert.deepEqual(ended, ["c", "a"]);
  await started.end();
  assert.deepEqual(ended, ["c", "a"]);
});
