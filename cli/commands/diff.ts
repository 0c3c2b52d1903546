/** `diff`: what changed between two backups, or between a backup and the database now. */
import { Command } from "commander";
import { createPatch } from "diff";
import {
  compareStates,
  type Difference,
  type TableDifference,
} from "../../supabase/functions/backup/inspect/compare_states.ts";
import { archiveState, type State } from "../../supabase/functions/backup/inspect/state.ts";
import { changesInWords } from "../inspect/changes.ts";
import { openNamed } from "../inspect/open_backup.ts";
import { findProject, stackDatabase } from "../project/find_project.ts";
import { commandLine } from "../terminal/called_as.ts";
import { CommandError } from "../terminal/errors.ts";
import { count, counted } from "../terminal/format.ts";
import { printJson, printResult } from "../terminal/output.ts";
import { progress } from "../terminal/progress.ts";
import { colors } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import {
  dbUrlOption,
  fromOption,
  identityOption,
  integer,
  jsonOption,
  PROJECT_NOTE,
  repeated,
  S3_NOTE,
} from "./options.ts";

interface Options {
  table?: string[];
  upTo: number;
  samples: number;
  dbUrl?: string;
  from?: string;
  identity?: string;
  json?: true;
}

export const command = new Command("diff")
  .summary("compare two backups, or a backup with the database now")
  .description(
    "Show what changed between two backups, or between a backup and the database now: definitions, and the rows of each " +
      "table that was added, removed or changed. Tables whose checksums are equal are not read.",
  )
  .argument("<before>", "a backup's name, latest, or a folder or archive of pg_dump's custom format")
  .argument("[after]", "another one, or now: the database", "now")
  .option("--table <schema.name>", "this table only; may be repeated", repeated)
  .option("--up-to <megabytes>", "compare rows of tables up to this size", integer(1, 100_000), 100)
  .option("--samples <number>", "rows to show of each table and kind of change", integer(0, 1000), 5)
  .addOption(dbUrlOption("the database, for now"))
  .addOption(fromOption("a project's URL, s3://bucket/prefix or a folder (default: the project)"))
  .addOption(identityOption())
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE + S3_NOTE)
  .action(async (before: string, after: string, options: Options) => {
    const bar = progress("diff");
    try {
      const open = (wanted: string) => wanted === "now" ? openNow(options) : openState(wanted, options);
      const [nameBefore, one] = await open(before);
      await using first = one;
      const [nameAfter, two] = await open(after);
      await using second = two;
      const { table = null, samples, upTo } = options;
      expectTables([first, second], table ?? []);
      const difference = await compareStates(first, second, {
        tables: table,
        samples,
        upTo: upTo * 1e6,
        onTable: (name, done, total) => bar.update(done, total, name),
      });
      bar.stop();
      if (options.json) printJson({ before: nameBefore, after: nameAfter, ...difference });
      else printResult(...describe(difference));
    } finally {
      bar.stop();
    }
  });

async function openState(wanted: string, { from, identity }: Options): Promise<[string, State]> {
  const { name, archive, manifest } = await openNamed(wanted, from, identity);
  return [name, await archiveState(archive, manifest)];
}

async function openNow({ dbUrl }: Options): Promise<[string, State]> {
  const url = dbUrl ?? await stackDatabase(await findProject());
  if (url === null) {
    throw new CommandError(
      "Cannot read the database: none is named",
      "Set SUPABASE_DB_URL, or add --db-url URL.",
    );
  }
  // Two backups need nothing of it.
  const { databaseState } = await import("../../supabase/functions/backup/inspect/database_state.ts");
  return ["now", await databaseState(url)];
}

/** Throws CommandError for a table that neither has. */
function expectTables(states: readonly State[], wanted: readonly string[]): void {
  const there = new Set(
    states.flatMap(({ tables }) => tables.map(({ schema, name }) => `${schema}.${name}`)),
  );
  const missing = wanted.find((name) => !there.has(name));
  if (missing === undefined) return;
  throw new CommandError(
    `Neither side has the table "${missing}"`,
    `Names are schema.table, not quoted. \`${commandLine("show", "latest")}\` lists the tables of a backup.`,
  );
}

const SIGNS = { added: colors.green("+"), removed: colors.red("-"), changed: colors.yellow("~") };

function describe({ definitions, tables }: Difference): string[] {
  const lines: string[] = [];
  for (const { state, type, schema, name, before, after } of definitions) {
    lines.push(`${SIGNS[state]} ${type.toLowerCase()} ${schema === null ? name : `${schema}.${name}`}`);
    if (state === "changed") lines.push(...patchLines(before!, after!));
  }
  if (lines.length > 0) lines.push("");
  const differing = tables.filter(({ state }) => state !== "same");
  if (differing.length > 0) {
    lines.push(...tableOf(differing), "");
    for (const one of differing) lines.push(...changesInWords(one));
  }
  const same = tables.length - differing.length;
  lines.push(
    differing.length + definitions.length === 0
      ? `${colors.green("✔")} No differences in ${counted(same, "table")}`
      : `${counted(definitions.length, "definition")} and ${counted(differing.length, "table")} differ; ${
        counted(same, "table")
      } ${same === 1 ? "is" : "are"} the same`,
  );
  return lines;
}

function tableOf(tables: readonly TableDifference[]): string[] {
  const cell = (value: number | null) => value === null ? "" : count(value);
  return table(
    ["table", "", "before", "after", "added", "removed", "changed", "compared by"],
    tables.map(({ schema, name, state, before, after, added, removed, changed, by, key, detail }) => [
      `${schema}.${name}`,
      state,
      cell(before),
      cell(after),
      cell(added),
      cell(removed),
      cell(changed),
      detail !== "" ? `count only: ${detail}` : by === "key" ? `key ${key!.join(", ")}` : by,
    ]),
    ["left", "left", "right", "right", "right", "right", "right", "left"],
  );
}

/** Returns the lines of a patch without its head. */
function patchLines(before: string, after: string): string[] {
  const [, ...lines] = createPatch("", `${before}\n`, `${after}\n`, "", "", { context: 1 }).split("\n@@");
  return lines.flatMap((hunk) => hunk.trimEnd().split("\n").slice(1)).map((line) => {
    if (line.startsWith("+")) return `    ${colors.green(line)}`;
    return `    ${line.startsWith("-") ? colors.red(line) : colors.dim(line)}`;
  });
}
