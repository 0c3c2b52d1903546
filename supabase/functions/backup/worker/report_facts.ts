/** Tells the database what a worker found out about the platform, for `backup.health`. */
import { uploadFallback } from "../storage/http/requests.ts";
import type { Worker } from "./worker.ts";

export async function reportFacts({ client, control, budget }: Worker): Promise<void> {
  await client.reportFacts({
    encrypted: control.encrypted,
    uploads: uploadFallback(),
    cpu_ms: Math.round(budget.lifeMs),
    own_cpu_ms: Math.round(budget.spentMs),
  });
}
