/** `npm run list`: the backups that the bucket holds, read from their manifests. */
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { parseArgs } from "node:util";
import { bytes, count, instant } from "./format.ts";
import { findProject, type Project } from "./project.ts";
import { CommandError, runCommand, table } from "./terminal.ts";

const USAGE = `Usage: npm run list [-- --json]

Lists the backups stored in the bucket \`backups\`, newest first.

Project: SUPABASE_URL and SUPABASE_SECRET_KEY, else the running stack.`;

const BUCKET = "backups";
const PAGE = 1000;

/** A folder of the bucket: a backup when it has a manifest, otherwise a leftover or a run at work. */
export interface StoredBackup {
  name: string;
  files: number;
  storedBytes: number;
  manifest: StoredManifest | null;
}

/** What this list reads of `manifest.json`. */
interface StoredManifest {
  run: { trigger: string };
  createdAt: string;
  server: { version: string };
  totals: { tables: number; rows: number; rawBytes: number };
}

if (import.meta.main) {
  await runCommand(USAGE, async (args) => {
    const { values } = parseArgs({ args, options: { json: { type: "boolean" } } });
    const backups = await listBackups(await findProject());
    console.log(values.json ? JSON.stringify(backups, null, 2) : backupsTable(backups));
  });
}

/** Newest first. Throws CommandError when the bucket cannot be read: an empty listing alone proves nothing. */
export async function listBackups(project: Project): Promise<StoredBackup[]> {
  const client = createClient(project.url, project.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { error } = await client.storage.getBucket(BUCKET);
  if (error) {
    throw new CommandError(
      `The bucket "${BUCKET}" could not be read: ${error.message}`,
      "Check SUPABASE_SECRET_KEY, and that the migrations were applied.",
      error,
    );
  }
  const folders = (await listAll(client, "")).filter(({ id }) => id === null).map(({ name }) => name);
  const backups = await Promise.all(folders.map((name) => readBackup(client, name)));
  return backups.sort((a, b) => b.name.localeCompare(a.name));
}

async function readBackup(client: SupabaseClient, name: string): Promise<StoredBackup> {
  const files = await listAll(client, name);
  const storedBytes = files.reduce((sum, { metadata }) => sum + Number(metadata?.size ?? 0), 0);
  const hasManifest = files.some((file) => file.name === "manifest.json");
  const manifest = hasManifest ? await readManifest(client, name) : null;
  return { name, files: files.length, storedBytes, manifest };
}

async function readManifest(client: SupabaseClient, name: string): Promise<StoredManifest> {
  const { data, error } = await client.storage.from(BUCKET).download(`${name}/manifest.json`);
  if (error) {
    throw new CommandError(`${name}/manifest.json could not be read: ${error.message}`, "Try again.", error);
  }
  return JSON.parse(await data.text());
}

async function listAll(client: SupabaseClient, prefix: string) {
  const all = [];
  while (true) {
    const { data, error } = await client.storage.from(BUCKET).list(prefix, {
      limit: PAGE,
      offset: all.length,
    });
    if (error) {
      throw new CommandError(`"${prefix}" could not be listed: ${error.message}`, "Try again.", error);
    }
    all.push(...data);
    if (data.length < PAGE) return all;
  }
}

export function backupsTable(backups: StoredBackup[]): string {
  if (backups.length === 0) return "No backup yet. Start one with `npm run backup`.";
  return table(
    ["backup", "trigger", "created", "server", "tables", "rows", "rows' text", "stored", "files"],
    backups.map(({ name, files, storedBytes, manifest }) => [
      name,
      manifest?.run.trigger ?? "no manifest: not a backup",
      manifest ? instant(manifest.createdAt) : "",
      manifest?.server.version ?? "",
      manifest ? count(manifest.totals.tables) : "",
      manifest ? count(manifest.totals.rows) : "",
      manifest ? bytes(manifest.totals.rawBytes) : "",
      bytes(storedBytes),
      count(files),
    ]),
    ["left", "left", "left", "left", "right", "right", "right", "right", "right"],
  );
}
