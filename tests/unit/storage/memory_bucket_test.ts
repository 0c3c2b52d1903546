import { memoryBucket } from "../../doubles/memory_bucket.ts";
import { keepsTheContract } from "./bucket_contract.ts";

Deno.test("[memoryBucket] keeps the contract of a bucket", async (test) => {
  await keepsTheContract(test, memoryBucket());
});
