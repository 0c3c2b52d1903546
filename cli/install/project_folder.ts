/** A Supabase project's folder, and what was installed into it. */
import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import { CommandError } from "../terminal/errors.ts";
import { FUNCTION_FOLDER } from "./package_contents.ts";

/** Written beside the function's files: tells what this tool wrote from what a person has changed since. */
const RECORD_FILE = `${FUNCTION_FOLDER}/installed.json`;

export interface InstallRecord {
  version: string;
  versioning: boolean;
  /** SHA-256 of each file as it was written, by its path from the project's folder. */
  files: Record<string, string>;
  /** File of each migration, by the name it has in the package. */
  migrations: Record<string, string>;
}

export interface ProjectFolder {
  /** The folder that holds `supabase/`. */
  root: string;
  /** Null where nothing was installed by this tool. */
  record: InstallRecord | null;
  /** Names in supabase/migrations, oldest first. */
  migrations: string[];
}

/** Finds the project from a folder upwards, as the Supabase CLI does. Throws CommandError where there is none. */
export async function openProjectFolder(from: string): Promise<ProjectFolder> {
  for (let root = resolve(from);; root = dirname(root)) {
    if (await readText(root, "supabase/config.toml") !== null) {
      return { root, record: await readRecord(root), migrations: await migrationNames(root) };
    }
    if (dirname(root) === root) break;
  }
  throw new CommandError(
    `There is no Supabase project in "${resolve(from)}" or above it: no folder has supabase/config.toml`,
    "Go to the project's folder, or make one with `supabase init`.",
  );
}

/** Returns a file's text; null where there is none. */
export async function readText(root: string, path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(join(root, path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

export async function writeText(root: string, path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(join(root, path)), { recursive: true });
  await Deno.writeTextFile(join(root, path), text);
}

export async function writeRecord(root: string, record: InstallRecord): Promise<void> {
  await writeText(root, RECORD_FILE, `${JSON.stringify(record, null, 2)}\n`);
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function readRecord(root: string): Promise<InstallRecord | null> {
  const text = await readText(root, RECORD_FILE);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError(
      `Cannot read "${RECORD_FILE}": it is not valid JSON`,
      "Restore it from version control, or delete it: every file that differs is asked about then.",
      error,
    );
  }
}

async function migrationNames(root: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(join(root, "supabase/migrations")));
    return entries.map(({ name }) => name).filter((name) => /^\d+_.*\.sql$/.test(name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
