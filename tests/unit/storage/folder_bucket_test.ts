import assert from "node:assert/strict";
import { folderBucket } from "../../../cli/source/folder_bucket.ts";
import { failsWith, keepsTheReadingContract, noise, TO_READ } from "./bucket_contract.ts";

Deno.test("[folderBucket] keeps the reading half of the contract, and takes nothing", async (test) => {
  const dir = await Deno.makeTempDir();
  try {
    for (const [name, bytes] of Object.entries(TO_READ)) await Deno.writeFile(`${dir}/${name}`, bytes);
    const bucket = folderBucket(dir);
    await keepsTheReadingContract(test, bucket);
    await assert.rejects(async () => await bucket.put("sizes/new", noise(1), "x/y"), failsWith("refused"));
    await assert.rejects(async () => await bucket.remove(["sizes/1"]), failsWith("refused"));
    assert.equal((await bucket.list("sizes")).length, Object.keys(TO_READ).length);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
