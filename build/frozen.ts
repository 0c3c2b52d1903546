/**
 * Released migrations never change: projects have applied them. build/frozen.json holds the hash of each, and of the
 * sources (schemas, setup) that they make together, so that a source without its migration is noticed without a
 * database.
 */
import { createHash } from "node:crypto";
import { parse } from "smol-toml";

const SUPABASE = new URL("../supabase/", import.meta.url);
const RECORD = new URL("frozen.json", import.meta.url);

/** Rows, jobs and extensions, which a schema cannot declare. Later files build on earlier ones. */
const SETUP = ["extensions", "settings", "bucket", "jobs"].map((name) => `setup/${name}.sql`);

/** Text by path below supabase/, in the order in which the database takes it. */
export type Texts = Map<string, string>;

export interface Frozen {
  /** SHA-256 by path. */
  migrations: Record<string, string>;
  sources: Record<string, string>;
}

interface Config {
  db: { migrations: { schema_paths: string[] } };
}

/**
 * Returns the declarative schemas, in the order of `schema_paths` in supabase/config.toml. Throws when one is not
 * there.
 */
export async function readSchemas(): Promise<Texts> {
  const config = parse(await Deno.readTextFile(new URL("config.toml", SUPABASE))) as unknown as Config;
  return await read(config.db.migrations.schema_paths.map((path) => path.replace(/^\.\//, "")));
}

export async function readSetup(): Promise<Texts> {
  return await read(SETUP);
}

/** Returns the migrations, oldest first. */
export async function readMigrations(): Promise<Texts> {
  const entries = await Array.fromAsync(Deno.readDir(new URL("migrations/", SUPABASE)));
  return await read(entries.map(({ name }) => `migrations/${name}`).sort());
}

export async function readFrozen(): Promise<Frozen> {
  return JSON.parse(await Deno.readTextFile(RECORD));
}

/** Records migrations and sources as they are now. */
export async function writeFrozen(): Promise<void> {
  const sources = new Map([...await readSchemas(), ...await readSetup()]);
  const frozen = { migrations: hashes(await readMigrations()), sources: hashes(sources) };
  await Deno.writeTextFile(RECORD, `${JSON.stringify(frozen, null, 2)}\n`);
}

/** Returns the paths whose text is another than recorded, new ones and missing ones included. */
export function changedPaths(recorded: Record<string, string>, texts: Texts): string[] {
  const now = hashes(texts);
  return [...new Set([...Object.keys(recorded), ...Object.keys(now)])].filter((path) =>
    recorded[path] !== now[path]
  );
}

function hashes(texts: Texts): Record<string, string> {
  return Object.fromEntries(
    [...texts].map(([path, text]) => [path, createHash("sha256").update(text).digest("hex")]),
  );
}

async function read(paths: string[]): Promise<Texts> {
  const texts = await Promise.all(paths.map((path) => Deno.readTextFile(new URL(path, SUPABASE))));
  return new Map(paths.map((path, index) => [path, texts[index]!]));
}
