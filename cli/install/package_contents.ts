/** What this release installs into a Supabase project. */
import { VERSION } from "../../supabase/functions/backup/version.ts";

/** Folder of the function, from the project's folder. */
export const FUNCTION_FOLDER = "supabase/functions/backup";

export interface PackagedMigration {
  /** The name without its time: `create_backup`. */
  name: string;
  text: string;
  /** Part of versioning, which a project may leave out. */
  versioning: boolean;
}

export interface PackageContents {
  version: string;
  /** The function's files: path from the project's folder, and text. */
  files: Map<string, string>;
  /** In the order in which they are applied. */
  migrations: PackagedMigration[];
  changelog: string;
}

const ROOT = new URL("../../", import.meta.url);

/** Reads what a checkout of this project, or the installed package, holds. */
export async function readPackage(): Promise<PackageContents> {
  const files = new Map<string, string>();
  for (const path of await filesOf(FUNCTION_FOLDER)) {
    // The package has each file a second time, as the JavaScript that its own commands run.
    if (/\.(ts|json)$/.test(path)) files.set(path, await read(path));
  }
  const migrations: PackagedMigration[] = [];
  for (const path of await filesOf("supabase/migrations")) {
    const name = /\/\d+_(.*)\.sql$/.exec(path)?.[1];
    if (name === undefined) continue;
    migrations.push({ name, text: await read(path), versioning: /versioning/.test(name) });
  }
  return { version: VERSION, files, migrations, changelog: await read("CHANGELOG.md") };
}

async function filesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(`${folder}/`, ROOT))) {
    found.push(...isDirectory ? await filesOf(`${folder}/${name}`) : [`${folder}/${name}`]);
  }
  return found.sort();
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}
