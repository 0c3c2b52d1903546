/** The project's SQL, in the order in which the CLI takes it. */

const ROOT = new URL("../../", import.meta.url);

export interface SqlFile {
  path: string;
  text: string;
}

/** supabase/migrations, oldest first. */
export async function migrations(): Promise<SqlFile[]> {
  return await read(await matches("./migrations/*.sql"));
}

/** The declarative schemas, in the order of `schema_paths` in supabase/config.toml. */
export async function schemas(): Promise<SqlFile[]> {
  return await listed("schema_paths");
}

/** The demo's theatre, in the order in which the demo loads it. */
export async function theatre(): Promise<SqlFile[]> {
  return await read(await matches("examples/theatre/*.sql"));
}

/** Throws when the setting is missing or names no file. */
async function listed(setting: string): Promise<SqlFile[]> {
  const config = await Deno.readTextFile(new URL("supabase/config.toml", ROOT));
  const list = config.match(new RegExp(`^${setting} = \\[([^\\]]*)\\]`, "m"))?.[1];
  if (list === undefined) throw new Error(`supabase/config.toml has no ${setting}`);
  const patterns = [...list.matchAll(/"([^"]+)"/g)].map(([, pattern]) => pattern!);
  return await read((await Promise.all(patterns.map(matches))).flat());
}

/** Paths that a pattern of config.toml stands for (`*.sql` at its end, or a plain path), sorted. */
async function matches(pattern: string): Promise<string[]> {
  const path = pattern.replace(/^\.\//, "supabase/");
  if (!path.endsWith("/*.sql")) return [path];
  const folder = path.slice(0, -"*.sql".length);
  const names = await Array.fromAsync(Deno.readDir(new URL(folder, ROOT)), ({ name }) => name);
  const found = names.filter((name) => name.endsWith(".sql")).sort().map((name) => folder + name);
  if (found.length === 0) throw new Error(`${pattern} names no file`);
  return found;
}

async function read(paths: string[]): Promise<SqlFile[]> {
  return await Promise.all(paths.map(async (path) => ({
    path,
    text: await Deno.readTextFile(new URL(path, ROOT)),
  })));
}
