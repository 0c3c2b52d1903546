/** `list`: the backups that a bucket holds. */
import { Command } from "commander";
import { bytes, count, instant } from "../terminal/format.ts";
import { listBackups, readBackup, type StoredBackup } from "../project/stored_backups.ts";
import { findOrigin } from "../source/source.ts";
import { commandLine } from "../terminal/called_as.ts";
import { UsageError } from "../terminal/errors.ts";
import { printJson, printResult, resultWidth } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import { fromOption, jsonOption, PROJECT_NOTE, S3_NOTE } from "./options.ts";

export const command = new Command("list")
  .summary("list the stored backups")
  .description("List the stored backups, newest first.")
  .addOption(fromOption("a project's URL, s3://bucket/prefix or a folder (default: the project)"))
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE + S3_NOTE)
  .action(async ({ from, json }: { from?: string; json?: true }) => {
    const origin = await findOrigin(from);
    if (origin.kind === "file") {
      throw new UsageError(`Cannot list "${origin.path}": it is a single file`, "Name the backup's folder.");
    }
    const { bucket } = origin;
    const backups = origin.kind === "folder"
      ? [await readBackup(bucket, origin.name)]
      : await listBackups(bucket);
    if (json) printJson({ backups });
    else printResult(...backupsTable(backups));
  });

const COLUMNS = [
  "backup",
  "trigger",
  "created",
  "server",
  "tables",
  "rows",
  "uncompressed",
  "stored",
  "files",
];

export function backupsTable(backups: readonly StoredBackup[], width = resultWidth()): string[] {
  if (backups.length === 0) return [`No backup yet. Start one with \`${commandLine("backup")}\`.`];
  const drawn = table(
    COLUMNS,
    backups.map((backup) => {
      const { name, files, storedBytes, manifest } = backup;
      return [
        name,
        kindOf(backup),
        manifest ? instant(manifest.createdAt) : "",
        manifest?.server.version.split(" ")[0] ?? "",
        manifest ? count(manifest.totals.tables) : "",
        manifest ? count(manifest.totals.rows) : "",
        manifest ? bytes(manifest.totals.rawBytes) : "",
        backup.wrongParts.length > 0
          ? colors.red(`${bytes(storedBytes)} of ${bytes(manifest!.totals.storedBytes)}`)
          : bytes(storedBytes),
        count(files),
      ];
    }),
    ["left", "left", "left", "left", "right", "right", "right", "right", "right"],
    width,
    ["files", "server", "created", "tables", "uncompressed"],
  );
  return [...drawn, ...encryptedTo(backups), ...backups.flatMap(faultsOf)];
}

function kindOf({ manifest, damage }: StoredBackup): string {
  if (damage !== null) return colors.red("damaged");
  return manifest === null ? "no manifest: not a backup" : manifest.run.trigger;
}

function faultsOf({ name, damage, wrongParts }: StoredBackup): string[] {
  if (damage !== null) return [`${colors.red("damaged:")} ${name}/${damage}`];
  if (wrongParts.length === 0) return [];
  const more = wrongParts.length > 1 ? ` and ${wrongParts.length - 1} more parts are` : " is";
  return [
    `${colors.red("incomplete:")} ${name}/${wrongParts[0]}${more} missing or not of the size in the manifest`,
  ];
}

/** Returns a line for each set of keys, with the backups that they open. */
function encryptedTo(backups: readonly StoredBackup[]): string[] {
  const encrypted = backups.filter(({ manifest }) => manifest?.encryption !== undefined);
  const keys = Map.groupBy(encrypted, ({ manifest }) => manifest!.encryption!.recipients.join(" and "));
  return [...keys].map(([recipients, of]) =>
    `encrypted to ${recipients}: ${of.map(({ name }) => name).join(", ")}`
  );
}
