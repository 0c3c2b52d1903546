/** `files`: Storage's files back into a project, from the second copy. */
import { Command, Option } from "commander";
import { bytes, counted } from "../terminal/format.ts";
import { findProject } from "../project/find_project.ts";
import { isS3, openS3 } from "../source/from_s3.ts";
import { chooseBackup } from "../source/source.ts";
import { putBack, readInventory } from "../restore/storage_files.ts";
import { CommandError, UsageError } from "../terminal/errors.ts";
import { printJson, printResult, say } from "../terminal/output.ts";
import { progress } from "../terminal/progress.ts";
import { colors } from "../terminal/style.ts";
import { backupOption, identityOption, jsonOption, PROJECT_NOTE, S3_NOTE } from "./options.ts";

interface Options {
  from: string;
  backup: string;
  bucket?: string;
  identity?: string;
  dryRun?: true;
  json?: true;
}

export const command = new Command("files")
  .summary("put Storage's files back from the second copy")
  .description(
    "Put Storage's files back into a project: those that the inventory of a backup lists, as they were copied last. " +
      "Files that exist are overwritten; buckets must exist (a restore of the database brings them).",
  )
  .addOption(new Option("--from <where>", "the second copies: s3://bucket/prefix").makeOptionMandatory())
  .addOption(backupOption().default("latest"))
  .option("--bucket <name>", "files of this bucket only")
  .addOption(identityOption())
  .option("--dry-run", "say what there is, and do nothing")
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE + S3_NOTE)
  .action(async ({ from, backup, bucket: only, identity, dryRun, json }: Options) => {
    if (!isS3(from)) throw new UsageError(`--from "${from}" is not s3://bucket/prefix`);
    const second = openS3(from);
    const name = await chooseBackup({ kind: "s3", bucket: second }, backup);
    const wanted = (await readInventory(second, name, identity))
      .filter(({ bucket }) => only === undefined || bucket === only);
    const total = wanted.reduce((sum, { size }) => sum + (size ?? 0), 0);
    const found = { backup: name, files: wanted.length, bytes: total };
    if (!json) printResult(`${name} lists ${counted(wanted.length, "file")}, ${bytes(total)}`);
    if (dryRun) return json ? printJson({ ...found, restored: 0, failed: [] }) : undefined;
    const project = await findProject();
    const bar = progress("files");
    const failed = await putBack(
      second,
      project,
      wanted,
      (done, file) => bar.update(done, wanted.length, file),
    )
      .finally(() => bar.stop());
    const restored = wanted.length - failed.length;
    if (json) printJson({ ...found, restored, failed });
    for (const what of failed) say(`${colors.red("not restored:")} ${what}`);
    if (!json) printResult(`${colors.green("✔")} ${counted(restored, "file")} restored into ${project.url}`);
    if (failed.length > 0) {
      throw new CommandError(`Cannot restore ${counted(failed.length, "file")}`, "Each is named above.");
    }
  });
