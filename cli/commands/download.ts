/** `download`: a backup as one archive for pg_restore: fetched, checked, joined and decrypted. */
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { chooseBackup, fetchSource, findOrigin } from "../source/source.ts";
import { CommandError, UsageError } from "../terminal/errors.ts";
import { bytes, counted } from "../terminal/format.ts";
import { printJson, printResult } from "../terminal/output.ts";
import { progress } from "../terminal/progress.ts";
import { colors } from "../terminal/style.ts";
import { onBytes } from "./download_progress.ts";
import { backupOption, fromOption, identityOption, jsonOption, PROJECT_NOTE, S3_NOTE } from "./options.ts";

interface Options {
  backup: string;
  from?: string;
  identity?: string;
  out?: string;
  json?: true;
}

export const command = new Command("download")
  .summary("fetch a backup as one archive for pg_restore")
  .description(
    "Fetch a backup as one archive for pg_restore: every part is checked, and decrypted where the backup is encrypted. " +
      "A download that was interrupted is continued.",
  )
  .addOption(backupOption().default("latest"))
  .addOption(fromOption("a project's URL, s3://bucket/prefix or a folder (default: the project)"))
  .addOption(identityOption())
  .option("--out <file>", "where the archive goes (default: NAME.dump)")
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE + S3_NOTE)
  .action(async ({ backup, from, identity, out, json }: Options) => {
    const origin = await findOrigin(from);
    if (origin.kind === "file") {
      throw new UsageError(
        `Cannot download "${origin.path}": it is a single file`,
        "Name the backup's folder.",
      );
    }
    const name = await chooseBackup(origin, backup);
    const path = resolve(out ?? `${name}.dump`);
    if ((await Deno.stat(path).catch(() => null))?.isDirectory) {
      throw new CommandError(
        `Cannot write "${path}": it is a folder`,
        "Name a file: --out FOLDER/NAME.dump.",
      );
    }
    const bar = progress("download");
    const source = await fetchSource(origin, name, dirname(path), onBytes(bar), identity).finally(() =>
      bar.stop()
    );
    await Deno.rename(source.archive.path, path);
    const { size } = await Deno.stat(path);
    const { tables, rows } = source.manifest!.totals;
    if (json) return printJson({ backup: name, file: path, bytes: size, tables, rows });
    printResult(
      `${colors.green("✔")} ${path}: ${bytes(size)}, ${counted(rows, "row")} of ${counted(tables, "table")}`,
    );
  });
