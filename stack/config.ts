/** What the stack takes from `supabase/config.toml`. */

export interface ProjectConfig {
  /** `verify_jwt` of the functions that are named there. */
  verifyJwt: Record<string, boolean>;
  /** Bytes that Storage takes a file. */
  fileSizeLimit?: number;
}

/** Reads the file. Throws when it is missing, or when a value is not one that the CLI takes. */
export async function projectConfig(path: string | URL): Promise<ProjectConfig> {
  const values = readValues(await Deno.readTextFile(path));
  const config: ProjectConfig = { verifyJwt: {} };
  for (const [key, value] of values) {
    const name = key.match(/^functions\.(.+)\.verify_jwt$/)?.[1];
    if (name !== undefined) config.verifyJwt[name] = value === "true";
  }
  const limit = values.get("storage.file_size_limit");
  if (limit !== undefined) config.fileSizeLimit = sizeOf(limit);
  return config;
}

/** `section.key` to value: enough of TOML for strings without escapes, numbers and booleans that stand on one line. */
function readValues(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let section = "";
  for (const line of text.split("\n")) {
    section = line.match(/^\s*\[([\w.-]+)\]/)?.[1] ?? section;
    const [, key, quoted, bare] = line.match(/^\s*([\w-]+)\s*=\s*(?:"([^"\\]*)"|([\w.+-]+))/) ?? [];
    if (key !== undefined) values.set(`${section}.${key}`, quoted ?? bare!);
  }
  return values;
}

/** As the CLI reads sizes: `MB` and `MiB` are both 1024 times 1024 bytes. */
function sizeOf(text: string): number {
  const [, digits, unit] = text.match(/^(\d+)\s*([kmg]?)(?:i?b)?$/i) ?? [];
  if (digits === undefined) {
    throw new Error(`config.toml: "${text}" is not a valid size; write "50MiB", for example`);
  }
  return Number(digits) * 1024 ** ["", "k", "m", "g"].indexOf(unit!.toLowerCase());
}
