/** `restore --into-schema`: copies of tables beside those that exist. */
import { mergeStatements } from "../../supabase/functions/backup/restore_plan/merge_sql.ts";
import { quoted } from "../../supabase/functions/backup/restore_plan/sql_text.ts";
import { restoreBeside } from "../restore/side_schema.ts";
import type { Source } from "../source/source.ts";
import { placeOf, type Target } from "../target/target.ts";
import { counted } from "../terminal/format.ts";
import { printJson, printResult, sqlLines } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";

interface Asked {
  table?: string[];
  dryRun?: true;
  json?: true;
}

/** Copies the tables into a new schema, and prints how to merge their rows. */
export async function restoreTablesBeside(
  source: Source,
  target: Target,
  schema: string,
  asked: Asked,
): Promise<void> {
  const { table: tables = [], dryRun = false, json } = asked;
  if (dryRun) {
    if (json) return printJson({ schema, dry_run: true, tables: tables.map((name) => ({ name })) });
    return printResult(
      `Would copy ${tables.join(", ")} into the new schema ${schema} of the ${placeOf(target.address)}.`,
    );
  }
  const copies = await restoreBeside(source.archive, target, tables, schema);
  const results = [];
  for (const { living, copy, rows } of copies) {
    results.push({ name: living, copy, rows, to_do: await mergeStatements(target.session, living, copy) });
  }
  if (json) return printJson({ schema, dry_run: false, tables: results });
  for (const { copy, rows, to_do } of results) {
    printResult(`${colors.green("✔")} ${copy}: ${counted(rows, "row")}`);
    for (const { what, sql } of to_do) printResult(`${colors.cyan("to")} ${what}:`, ...sqlLines(sql));
  }
  printResult(
    `${colors.cyan("to do:")} drop it when you are done:`,
    ...sqlLines(`drop schema ${quoted(schema)} cascade`),
  );
}
