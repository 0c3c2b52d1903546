/** The stock pg_restore: found, of a version that fits, and run with its words understood. */
import { onInterrupt } from "../terminal/interrupt.ts";
import { CommandError } from "../terminal/errors.ts";
import { bareEnvironment } from "../../stack/postgres/supervised.ts";
import { adviceOn } from "./pg_error_hints.ts";
import { libpqEnvironment, type Target } from "../target/target.ts";

export interface Program {
  path: string;
  major: number;
}

/** The first that reads archives of version 1.14. */
const OLDEST = 12;

/**
 * From this one on it sets `transaction_timeout`, which older servers do not know: an error, and no restore
 * in one transaction.
 */
const SETS_TRANSACTION_TIMEOUT = 17;

/**
 * The one of the target's version where it is installed, else the newest that fits. Throws CommandError with
 * the line that installs one.
 */
export async function findPgRestore(targetVersion: number): Promise<Program> {
  const wanted = Math.floor(targetVersion / 10000);
  const found = (await Promise.all((await candidates()).map(versionOf))).filter((program) =>
    program !== null
  );
  return choosePgRestore(found, wanted);
}

/** See findPgRestore. */
export function choosePgRestore(found: readonly Program[], wanted: number): Program {
  const fitting = found.filter(({ major }) =>
    major >= OLDEST && (major < SETS_TRANSACTION_TIMEOUT || wanted >= SETS_TRANSACTION_TIMEOUT)
  ).sort((a, b) => b.major - a.major);
  const program = fitting.find(({ major }) => major === wanted) ?? fitting[0];
  if (program) return program;
  const have = found.length === 0
    ? "pg_restore is not installed"
    : `pg_restore ${found.map(({ major }) => major).join(", ")} does not fit a server of version ${wanted}`;
  throw new CommandError(
    have,
    `Debian and Ubuntu: apt-get install postgresql-client-${wanted}; macOS: brew install postgresql@${wanted}. ` +
      "PG_BIN names its folder where it is somewhere else.",
  );
}

async function candidates(): Promise<string[]> {
  const folders = [Deno.env.get("PG_BIN") ?? ""];
  for (const root of ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"]) {
    try {
      for await (const { name } of Deno.readDir(root)) folders.push(`${root}/${name}/bin`);
    } catch { /* no such folder */ }
  }
  return [...folders.filter((folder) => folder !== "").map((folder) => `${folder}/pg_restore`), "pg_restore"];
}

async function versionOf(path: string): Promise<Program | null> {
  try {
    const { success, stdout } = await new Deno.Command(path, {
      args: ["--version"],
      stderr: "null",
      clearEnv: true,
      env: bareEnvironment(),
    })
      .output();
    const [, major] = / (\d+)/.exec(new TextDecoder().decode(stdout)) ?? [];
    return success && major !== undefined ? { path, major: Number(major) } : null;
  } catch {
    return null;
  }
}

export interface RunOptions {
  /** A file, or the bytes in the order in which pg_restore takes them. */
  archive: string | AsyncIterable<Uint8Array>;
  jobs: number;
  clean: boolean;
  noOwner: boolean;
  disableTriggers: boolean;
  /** Called with each entry that pg_restore begins, in its words. */
  onEntry?: (entry: string) => void;
}

/** The arguments, without anything secret: the connection is in the environment. */
export function argumentsOf(
  { archive, jobs, clean, noOwner, disableTriggers }: RunOptions,
  database: string,
): string[] {
  // As a connection string of one word: a name that looks like one would be taken for one.
  const quoted = `dbname='${database.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  return [
    "--dbname",
    quoted,
    "--exit-on-error",
    "--verbose",
    "--no-password",
    // Workers have transactions of their own.
    ...(jobs > 1 ? ["--jobs", String(jobs)] : ["--single-transaction"]),
    ...(clean ? ["--clean", "--if-exists"] : []),
    ...(noOwner ? ["--no-owner", "--no-privileges"] : []),
    ...(disableTriggers ? ["--disable-triggers"] : []),
    ...(typeof archive === "string" ? [archive] : []),
  ];
}

/**
 * Restores. Throws CommandError that names the entry at which it stopped, the server's words, and what to do.
 */
export async function runPgRestore(program: Program, target: Target, options: RunOptions): Promise<void> {
  const child = new Deno.Command(program.path, {
    args: argumentsOf(options, target.address.database),
    // Whatever a restore runs, this process has nothing to tell it.
    clearEnv: true,
    env: {
      ...bareEnvironment(),
      ...libpqEnvironment(target.address),
      LC_ALL: "C",
      PGAPPNAME: "supabase-backup restore",
      // A pooler's or a role's limit must not end it in the middle.
      PGCONNECT_TIMEOUT: "15",
    },
    stdin: typeof options.archive === "string" ? "null" : "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  using _interrupt = onInterrupt(async () => {
    child.kill("SIGTERM");
    await child.status;
    return options.jobs > 1 ? PARTLY_DONE : NOTHING_DONE;
  });
  const fed = typeof options.archive === "string" ? null : feed(child, options.archive);
  const said: string[] = [];
  let rest = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const [, doing] =
        /^pg_restore: ((?:creating|processing|executing|dropping|launching) .*)$/.exec(line) ?? [];
      if (doing !== undefined) options.onEntry?.(doing);
      else if (!/^pg_restore: (connecting|entering|finished|implied|processed)/.test(line)) said.push(line);
    }
  }
  if (rest !== "") said.push(rest);
  const [{ success, signal }] = await Promise.all([child.status, fed]);
  if (success) return;
  throw failure(said, signal, options);
}

/**
 * Ends when pg_restore does: why it stopped reading it says itself. What cannot be read is thrown, and ends
 * it without a commit.
 */
async function feed(child: Deno.ChildProcess, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    for await (const piece of pieces) {
      if (!await writer.write(piece).then(() => true, () => false)) return;
    }
    await writer.close().catch(() => {});
  } catch (error) {
    child.kill("SIGTERM");
    throw error;
  }
}

const PARTLY_DONE = "Earlier entries are in the target. Empty it, and start again.";
const NOTHING_DONE = "Nothing was changed: the restore is one transaction.";

function failure(said: string[], signal: string | null, { jobs }: RunOptions): CommandError {
  const text = said.join("\n");
  const [, entry] = /from TOC entry (.*)/.exec(text) ?? [];
  const [, error] =
    /error: (?:could not execute query: |COPY failed for table .*?: )?(?:ERROR: +)?([\s\S]*?)(?:\nCommand was:|\npg_restore: |$)/
      .exec(text) ?? [];
  const why = signal !== null
    ? `it was killed by ${signal}`
    : error?.trim() || said.slice(-3).join(" ") || "it printed nothing";
  const where = entry === undefined ? "" : ` at entry ${entry}`;
  return new CommandError(
    `pg_restore stopped${where}: ${why}`,
    (jobs > 1
      ? `${PARTLY_DONE} Without --jobs, a restore is one transaction.`
      : `${NOTHING_DONE} Remove the cause and run the same command again.`) +
      adviceOn(entry ?? "", text),
  );
}
