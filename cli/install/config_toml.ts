/** The function's section in supabase/config.toml, changed without touching anything else of the file. */
import { parse } from "smol-toml";
import { CommandError } from "../terminal/errors.ts";

const SECTION = `
[functions.backup]
# The function checks its callers itself: one-time tokens of the database, and secret keys, which are not JWTs.
verify_jwt = false
import_map = "./functions/backup/deno.json"
`;

const WANTED = { verify_jwt: false, import_map: "./functions/backup/deno.json" } as const;

/**
 * Returns what in the text keeps the function from working; nothing when all is right. Throws CommandError when it is
 * not TOML.
 */
export function configFaults(text: string): string[] {
  const section = functionSection(text);
  if (section === undefined) return ["[functions.backup] is missing"];
  return Object.entries(WANTED).filter(([key, value]) => section[key] !== value)
    .map(([key, value]) => `[functions.backup] ${key} is not ${JSON.stringify(value)}`);
}

/** Returns the text with the section as it must be. Comments, order and spaces stay. */
export function withFunctionSection(text: string): string {
  const section = functionSection(text);
  if (section === undefined) return `${text.trimEnd()}\n${SECTION}`;
  let changed = text;
  for (const [key, value] of Object.entries(WANTED)) {
    if (section[key] !== value) changed = withValue(changed, key, JSON.stringify(value));
  }
  if (configFaults(changed).length === 0) return changed;
  throw new CommandError(
    "Cannot change [functions.backup] in supabase/config.toml: it is not written as a section of its own",
    `Set these lines by hand:${SECTION.replaceAll("\n", "\n  ").trimEnd()}`,
  );
}

function functionSection(text: string): Record<string, unknown> | undefined {
  try {
    const { functions } = parse(text) as { functions?: Record<string, Record<string, unknown>> };
    return functions?.["backup"];
  } catch (error) {
    throw new CommandError(
      `Cannot read supabase/config.toml: ${(error as Error).message}`,
      "Correct the file, and run the command again.",
      error,
    );
  }
}

/**
 * Replaces the value of a key in the section, or adds the key below its heading. What follows the value on its line
 * stays.
 */
function withValue(text: string, key: string, value: string): string {
  const lines = text.split("\n");
  const begin = lines.findIndex((line) => /^\s*\[functions\.backup\]/.test(line));
  if (begin < 0) return text;
  const next = lines.findIndex((line, index) => index > begin && /^\s*\[/.test(line));
  const end = next < 0 ? lines.length : next;
  const at = lines.findIndex((line, index) =>
    index > begin && index < end && new RegExp(`^\\s*${key}\\s*=`).test(line)
  );
  if (at < 0) lines.splice(begin + 1, 0, `${key} = ${value}`);
  else lines[at] = lines[at]!.replace(/=\s*("[^"]*"|'[^']*'|[^#\s]+)/, () => `= ${value}`);
  return lines.join("\n");
}
