/** `verify`: reads a stored backup again, all of it, and names what is wrong. Restores nothing. */
import { Command } from "commander";
import { bytes, counted, duration } from "../terminal/format.ts";
import { LOG_NOT_NAMED, loggedManifest } from "../source/logged_manifest.ts";
import { refuseEncrypted } from "../source/decrypt_archive.ts";
import { checkedFile } from "../source/check_file.ts";
import { chooseBackup, findOrigin } from "../source/source.ts";
import { type Verification, verifyBackup } from "../verify/verify_backup.ts";
import { CommandError } from "../terminal/errors.ts";
import { printJson, printResult } from "../terminal/output.ts";
import { progress } from "../terminal/progress.ts";
import { colors } from "../terminal/style.ts";
import { backupOption, fromOption, identityOption, jsonOption, PROJECT_NOTE, S3_NOTE } from "./options.ts";

interface Options {
  backup?: string;
  from?: string;
  identity?: string;
  json?: true;
}

export const command = new Command("verify")
  .summary("read a stored backup again and check all of it")
  .description(
    "Read a stored backup again: the manifest, every part's checksum, and the archive entry by entry and row by row. " +
      "Each fault is named; the exit code is 1 when there is one.",
  )
  .addOption(backupOption().default("latest"))
  .addOption(
    fromOption("a project's URL, s3://bucket/prefix, a folder or a single archive (default: the project)"),
  )
  .addOption(identityOption())
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE + S3_NOTE)
  .action(async ({ backup = "latest", from, identity, json }: Options) => {
    const origin = await findOrigin(from);
    if (origin.kind === "file") return await verifyFile(origin.path, json);
    // What is asked about may be damaged: it need not be a backup that could be restored.
    const isThere = origin.kind !== "folder" && backup !== "latest" &&
      (await origin.bucket.list(backup)).length > 0;
    const name = isThere ? backup : await chooseBackup(origin, backup);
    const logged = origin.kind === "project" ? await loggedManifest(origin.project, name) : LOG_NOT_NAMED;
    const begin = performance.now();
    const bar = progress("verify");
    const result = await verifyBackup(origin.bucket, name, {
      ...("sha256" in logged ? { manifestSha256: logged.sha256 } : {}),
      identityFile: identity,
      onProgress: (done, expected, part) => bar.update(done, expected, part),
    }).finally(() => bar.stop());
    if ("unknown" in logged) result.unchecked.push(`the manifest against backup.log: ${logged.unknown}`);
    if (json) printJson({ backup: name, ...result });
    else printResult(...report(name, result, performance.now() - begin));
    const { length } = result.faults;
    if (length > 0) {
      throw new CommandError(
        `Backup ${name} has ${length === 1 ? "a fault" : `${length} faults`}`,
        "Use another backup, and keep this one until you have it.",
      );
    }
  });

/** Checks a single file, whose data blocks have checksums. Throws CommandError for a damaged one. */
async function verifyFile(path: string, json?: true): Promise<void> {
  await refuseEncrypted(path);
  const bar = progress("verify");
  const { entries } = await checkedFile(path, (done, expected) => bar.update(done, expected, path))
    .finally(() => bar.stop());
  const unchecked = ["completeness: a single file has no manifest to compare it with"];
  if (json) return printJson({ backup: path, faults: [], unchecked, entries: entries.length });
  printResult(
    ...unchecked.map((what) => `${colors.yellow("not checked:")} ${what}`),
    `${colors.green("✔")} ${path}: ${counted(entries.length, "entry", "entries")}, no faults found`,
  );
}

function report(
  name: string,
  { faults, unchecked, parts, bytes: size, rows }: Verification,
  took: number,
): string[] {
  const lines = faults.map(({ code, message }) => `${colors.red(code)}  ${message}`);
  lines.push(...unchecked.map((what) => `${colors.yellow("not checked:")} ${what}`));
  if (faults.length === 0) {
    lines.push(
      `${colors.green("✔")} ${name}: ${counted(parts, "part")}, ${bytes(size)}, ${
        counted(rows, "row")
      }, no faults found, in ${duration(took)}`,
    );
  }
  return lines;
}
