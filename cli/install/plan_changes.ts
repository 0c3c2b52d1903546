/** What has to be written so that a project has what a release installs. Nothing is written here. */
import { withFunctionSection } from "./config_toml.ts";
import type { PackageContents } from "./package_contents.ts";
import { hashOf, type InstallRecord, type ProjectFolder, readText } from "./project_folder.ts";

/** Name of the migration that takes everything out of the database again. */
export const UNINSTALL_MIGRATION = "remove_backup";

export interface Change {
  path: string;
  /** Null where the file is new. */
  before: string | null;
  /** Null where the file goes. */
  after: string | null;
  /** The file is not as it was installed: somebody has changed it. */
  byHand: boolean;
}

export interface Plan {
  changes: Change[];
  /** As it is to be recorded when all changes are made. */
  record: InstallRecord;
  /** Installed migrations whose text is another than the release's; they may be applied already, so they stay. */
  alteredMigrations: string[];
}

/** Plans the installation, or the way from an earlier release. `now` dates new migrations. */
export async function planChanges(
  { root, record, migrations }: ProjectFolder,
  packaged: PackageContents,
  { versioning, now }: { versioning: boolean; now: Date },
): Promise<Plan> {
  const changes: Change[] = [];
  const alteredMigrations: string[] = [];
  const add = async (path: string, after: string | null) => {
    const before = await readText(root, path);
    if (before === after) return;
    const byHand = before !== null && hashOf(before) !== record?.files[path];
    changes.push({ path, before, after, byHand });
  };

  const files: Record<string, string> = {};
  for (const [path, text] of packaged.files) {
    await add(path, text);
    files[path] = hashOf(text);
  }
  for (const path of Object.keys(record?.files ?? {})) {
    if (!packaged.files.has(path)) await add(path, null);
  }

  const installed: Record<string, string> = { ...record?.migrations };
  // What was applied before an uninstallation has gone with it.
  const removed = migrations.findLastIndex((one) => one.endsWith(`_${UNINSTALL_MIGRATION}.sql`));
  const applied = migrations.slice(removed + 1);
  let last = migrations.at(-1)?.split("_")[0] ?? "";
  for (const { name, text, versioning: ofVersioning } of packaged.migrations) {
    if (ofVersioning && !versioning) continue;
    const file = installed[name] ?? applied.find((one) => one.replace(/^\d+_/, "") === `${name}.sql`);
    if (file !== undefined && migrations.includes(file)) {
      installed[name] = file;
      const path = `supabase/migrations/${file}`;
      if (await readText(root, path) !== text) alteredMigrations.push(path);
      continue;
    }
    last = timeAfter(last, now);
    installed[name] = `${last}_${name}.sql`;
    changes.push({
      path: `supabase/migrations/${installed[name]}`,
      before: null,
      after: text,
      byHand: false,
    });
  }

  const config = await readText(root, "supabase/config.toml");
  const wanted = withFunctionSection(config!);
  // Only our own section changes, so the rest of the file need not be as it was.
  if (wanted !== config) {
    changes.push({ path: "supabase/config.toml", before: config, after: wanted, byHand: false });
  }
  return {
    changes,
    record: { version: packaged.version, versioning, files, migrations: installed },
    alteredMigrations,
  };
}

/** Returns a migration's time, `20261122030000`: now, or the number after `last` where that is as late or later. */
export function timeAfter(last: string, now: Date): string {
  const time = now.toISOString().replace(/\D/g, "").slice(0, 14);
  // The Supabase CLI sorts them as text and takes any number.
  return last < time ? time : String(BigInt(last) + 1n);
}
