import { memoryBucket } from "../../../supabase/functions/backup/storage/memory.ts";
import { keepsTheContract } from "./bucket_contract.ts";

Deno.test("[memoryBucket] keeps the contract of a bucket", async (test) => {
  await keepsTheContract(test, memoryBucket());
});
