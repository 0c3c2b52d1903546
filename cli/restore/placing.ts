/** Which of the entries that were asked for are restored, which give rows only, and which stay behind and why. */
import { isManaged } from "../../supabase/functions/backup/catalog/managed.ts";
import {
  type Fated,
  fatesInProject,
  FILE_ROWS,
  isWebhook,
} from "../../supabase/functions/backup/manifest/project_entries.ts";
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import type { ArchiveFile } from "./archive_file.ts";
import { isOfCron } from "./cron_jobs.ts";
import type { Plan, PlanOptions } from "./plan.ts";
import type { Present } from "./present.ts";
import type { Target } from "./target.ts";

/** Fills the plan's `restored`, `rows` and `leftOut`; answers the webhooks, which come back otherwise. */
export function placeEntries(
  { entries: all }: ArchiveFile,
  chosen: ReadonlySet<number>,
  target: Target,
  present: Present,
  options: PlanOptions,
  plan: Plan,
): { webhooks: Entry[] } {
  const isProject = target.kind === "supabase";
  const webhooks: Entry[] = [];
  for (const fated of isProject ? fatesInProject(all) : fatesOnServer(all)) {
    if (chosen.has(fated.entry.dumpId)) place(fated);
  }
  leaveOutLooseKeys();
  return { webhooks };

  function place({ entry, fate, why }: Fated): void {
    const { desc, namespace, tag } = entry;
    const name = `${namespace}.${tag}`;
    const leaveOut = (why: string) => {
      if (why !== "") plan.leftOut.push({ what: `${desc} ${namespace === null ? tag : name}`, why });
    };
    if (fate === "left out") return leaveOut(why);
    if (isOfCron(entry)) return;
    if (fate === "webhook") {
      if (isProject && !target.schemas.has("supabase_functions")) {
        return leaveOut("webhooks are not enabled in the target: enable them, then create it again");
      }
      return void webhooks.push(entry);
    }
    if (fate === "rows") {
      if (name === FILE_ROWS && !options.withFiles) {
        return leaveOut("they are true only with their files: --with-files");
      }
      return void plan.rows.push(entry);
    }
    // Dropped first, they are the backup's alone: one that was applied since is not in what comes back.
    if (fate === "migrations" && target.schemas.has("supabase_migrations") && !options.clean) {
      if (desc === "TABLE DATA") plan.rows.push(entry);
      return;
    }
    // The platform's schemas and extensions are there, and a project may have been set up in part.
    const mayBeThere = desc === "SCHEMA" || desc === "PUBLICATION TABLE" ||
      ((desc === "POLICY" || desc === "TRIGGER") && isManaged(namespace ?? ""));
    // A schema is never dropped: others may have put something there.
    if (mayBeThere && (!options.clean || desc === "SCHEMA") && present.has(entry)) return;
    if (isProject && desc === "EXTENSION" && present.has(entry)) return;
    if (isProject && (desc === "POLICY" || desc === "TRIGGER")) {
      const table = / ON (?:ONLY )?("(?:[^"]|"")+"|\w+)\.("(?:[^"]|"")+"|\w+)/.exec(entry.drop ?? "")?.[2];
      const bare = table?.replace(/^"|"$/g, "").replaceAll('""', '"');
      if (bare !== undefined && !present.hasTable(namespace!, bare) && !hasTableEntry(namespace!, bare)) {
        return leaveOut(`the target has no table ${namespace}.${bare}`);
      }
    }
    plan.restored.push(entry);
  }

  /** Foreign keys to tables that neither come along nor are there. */
  function leaveOutLooseKeys(): void {
    const tables = new Map(all.filter(({ desc }) => desc === "TABLE").map((entry) => [entry.dumpId, entry]));
    plan.restored = plan.restored.filter(({ desc, namespace, tag, dependencies }) => {
      if (desc !== "FK CONSTRAINT") return true;
      const missing = dependencies.map((id) => tables.get(id)).find((table) =>
        table !== undefined && !plan.restored.includes(table) &&
        !present.hasTable(table.namespace!, table.tag)
      );
      if (missing === undefined) return true;
      const why = `it refers to ${missing.namespace}.${missing.tag}, which the target has not`;
      plan.leftOut.push({ what: `${desc} ${namespace}.${tag}`, why });
      return false;
    });
  }

  function hasTableEntry(schema: string, name: string): boolean {
    return plan.restored.some(({ desc, namespace, tag }) =>
      desc === "TABLE" && namespace === schema && tag === name
    );
  }
}

/** A server of one's own gets everything. What would act on the world comes back asleep. */
function fatesOnServer(entries: readonly Entry[]): Fated[] {
  return entries.map((entry) => {
    const ofDatabase = /^DATABASE( PROPERTIES)?$/.test(entry.desc) || /^DATABASE /.test(entry.tag);
    if (ofDatabase) return { entry, fate: "left out", why: "" };
    return { entry, fate: isWebhook(entry) ? "webhook" : "restored", why: "" };
  });
}
