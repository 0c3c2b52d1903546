/** `find`: in which backups is a row, and how was it? */
import { Command } from "commander";
import { expectTable, findKey, type Found } from "../inspect/find_key.ts";
import { findOrigin } from "../source/source.ts";
import { instant } from "../terminal/format.ts";
import { printJson, printResult } from "../terminal/output.ts";
import { progress } from "../terminal/progress.ts";
import { colors } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import { fromOption, identityOption, jsonOption, PROJECT_NOTE, S3_NOTE } from "./options.ts";

interface Options {
  json?: true;
  from?: string;
  identity?: string;
}

export const command = new Command("find")
  .summary("look a row up in all backups")
  .description("Look a row up in all backups by its primary key: which have it, and how it was.")
  .argument("<table>", "schema.table, not quoted")
  .argument("<key...>", "its primary key as PostgreSQL prints it: a value for each column")
  .addOption(fromOption("a project's URL, s3://bucket/prefix, a folder or an archive (default: the project)"))
  .addOption(identityOption())
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE + S3_NOTE)
  .action(async (name: string, key: string[], { from, identity, json }: Options) => {
    const bar = progress("find");
    const found: Found[] = [];
    try {
      for await (const one of findKey(await findOrigin(from), name, key, identity)) {
        found.push(one);
        bar.update(found.length, found.length, one.backup);
      }
    } finally {
      bar.stop();
    }
    expectTable(found, name);
    if (json) return printJson({ table: name, key, backups: found.map(asJson) });
    printResult(...foundTable(found));
  });

function asJson(
  { backup, snapshotAt, state, columns, row, changed, detail }: Found,
): Record<string, unknown> {
  return { backup, snapshot_at: snapshotAt || null, state, columns, row, changed, detail };
}

/** Returns a table of the backups, in which a row that has changed is written out. */
function foundTable(found: readonly Found[]): string[] {
  return table(
    ["backup", "as of", "row"],
    found.map(({ backup, snapshotAt, state, columns, row, changed, detail }) => [
      backup,
      snapshotAt === "" ? "" : instant(snapshotAt),
      row === null
        ? colors.dim(detail === "" ? state : `${state}: ${detail}`)
        : changed === false
        ? "the same"
        : columns.map((column, index) => `${column}: ${row[index] ?? "null"}`).join(", "),
    ]),
  );
}
