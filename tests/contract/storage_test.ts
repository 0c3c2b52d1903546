/**
 * The contract of the Storage API: what the backup relies on and what could surprise it, as sentences that hold for the
 * platform's own server. By default they are tried on the stand-in; storage/project.ts says how to try them on another.
 */
import { access } from "./storage/access.ts";
import { buckets } from "./storage/buckets.ts";
import { callers } from "./storage/callers.ts";
import { downloads } from "./storage/downloads.ts";
import { listing } from "./storage/listing.ts";
import { names } from "./storage/names.ts";
import { type Facts, StorageProject } from "./storage/project.ts";
import { removal } from "./storage/removal.ts";
import { signedUrls } from "./storage/signed_urls.ts";
import { uploads } from "./storage/uploads.ts";

const groups: Record<string, Facts> = {
  callers,
  buckets,
  uploads,
  names,
  downloads,
  listing,
  removal,
  "signed URLs": signedUrls,
  access,
};

Deno.test("the Storage API", async (t) => {
  const project = await StorageProject.open();
  // Connections that are made during a step stay for the next; the whole leaves none.
  const kept = { sanitizeOps: false, sanitizeResources: false };
  try {
    for (const [group, facts] of Object.entries(groups)) {
      await t.step({
        name: group,
        ...kept,
        fn: async (t) => {
          for (const [name, fact] of Object.entries(facts)) {
            await t.step({ name, ignore: !project.has(fact), fn: () => fact(project), ...kept });
          }
        },
      });
    }
  } finally {
    await project.close();
  }
});
