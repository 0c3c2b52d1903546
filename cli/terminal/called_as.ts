/**
 * How the commands are called here: `supabase-backup X`, `npx supabase-backup X`, or `npm run X` in a checkout of this
 * project.
 */

/** Scripts of package.json whose names are not the command's. */
const SCRIPTS: Record<string, string> = { "alerts test": "alert:test" };

const COMMANDS = [
  "alert:test",
  "backup",
  "demo",
  "download",
  "drill",
  "dump",
  "files",
  "health",
  "list",
  "log",
  "prune",
  "restore",
  "verify",
];

/** npm sets these for the script it runs, and programs below inherit them: the name of the script decides. */
export const isNpm = Deno.env.get("npm_package_name") === "supabase-backup" &&
  COMMANDS.includes(Deno.env.get("npm_lifecycle_event") ?? "");

const PROGRAM = Deno.env.get("npm_lifecycle_event") === "npx" ? "npx supabase-backup" : "supabase-backup";

/** Returns what a person types for a command, with options. */
export function commandLine(command: string, options = ""): string {
  if (!isNpm) return [PROGRAM, command, options].filter((word) => word !== "").join(" ");
  return `npm run ${SCRIPTS[command] ?? command}${options === "" ? "" : ` -- ${options}`}`;
}
