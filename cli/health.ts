/** `npm run health`: the verdict on the backups, for people and for monitoring (exit codes as Nagios has them). */
import { parseArgs } from "node:util";
import colors from "picocolors";
import postgres from "postgres";
import { findProject } from "./project.ts";
import { call } from "./runs.ts";
import { printError, table } from "./terminal.ts";

const USAGE = `Usage: npm run health [-- --json] [--db-url URL]

Says how the backups are, and why. Exit code 0 ok, 1 warning, 2 failing, 3 unknown (nobody could be asked).

  --json         as JSON
  --db-url URL   asks the database itself instead of the function: also where the function is gone

Project: SUPABASE_URL and SUPABASE_SECRET_KEY, else the running stack.`;

export type Severity = "failing" | "warning" | "info";

/** The row of `backup.health`. */
export interface Health {
  verdict: "ok" | "warning" | "failing";
  reasons: { code: string; severity: Severity; message: string; hint: string }[];
  facts: {
    newest_backup: string | null;
    backups: number;
    schedule: string | null;
    longest_wait: string | null;
    bucket: string;
    last_drill: string | null;
  } | null;
  checked_at: string;
}

export const EXIT_CODES = { ok: 0, warning: 1, failing: 2 } as const;
const UNKNOWN = 3;

const PAINTED: Record<Severity | "ok", (text: string) => string> = {
  ok: colors.green,
  info: colors.dim,
  warning: colors.yellow,
  failing: colors.red,
};

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Answers the exit code. Not `runCommand`: whatever goes wrong here is `unknown`, never a verdict. */
async function main(args: string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args,
      options: {
        json: { type: "boolean" },
        "db-url": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const url = values["db-url"];
    const health = url === undefined ? await askFunction() : await askDatabase(url);
    console.log(values.json ? JSON.stringify(health, null, 2) : healthTable(health));
    return EXIT_CODES[health.verdict] ?? UNKNOWN;
  } catch (error) {
    printError(error);
    if (error instanceof TypeError && "code" in error) console.error(`\n${USAGE}`);
    return UNKNOWN;
  }
}

async function askFunction(): Promise<Health> {
  return (await call<{ health: Health }>(await findProject(), { health: true })).health;
}

async function askDatabase(url: string): Promise<Health> {
  const sql = postgres(url, { max: 1, connect_timeout: 15, onnotice: () => {} });
  try {
    const [row] = await sql<{ health: Health }[]>`select to_jsonb(h) as health from backup.health h`;
    return row!.health;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The first line is the whole answer: monitoring shows no more. */
export function healthTable({ verdict, reasons, facts }: Health): string {
  const grave = reasons.filter(({ severity }) => severity !== "info");
  const newest = facts?.newest_backup ? `newest backup ${facts.newest_backup}` : "no backup";
  const summary = grave.length === 0 ? newest : grave.map(({ message }) => message).join("; ");
  const drawn = reasons.length === 0 ? [] : [table(
    ["severity", "what", "what to do"],
    reasons.map(({ severity, message, hint }) => [
      PAINTED[severity](severity),
      wrapped(message, 60),
      wrapped(hint ?? "", 60),
    ]),
  )];
  return [`${PAINTED[verdict](verdict.toUpperCase())}: ${summary}`, ...drawn].join("\n");
}

/** Broken at spaces into lines of at most `width` characters; a longer word stays whole, to be copied. */
function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines.join("\n");
}
