/** Is the project's folder as this release installs it? */
import { commandLine } from "../../terminal/called_as.ts";
import { counted } from "../../terminal/format.ts";
import { configFaults } from "../config_toml.ts";
import type { PackageContents } from "../package_contents.ts";
import { planChanges } from "../plan_changes.ts";
import { type ProjectFolder, readText } from "../project_folder.ts";
import { pushCommand } from "../supabase_cli.ts";
import { failed, type Finding, ok, warning } from "./finding.ts";

/** Returns the findings, all `ok` where nothing is to be done. */
export async function checkFolder(folder: ProjectFolder, packaged: PackageContents): Promise<Finding[]> {
  const { root, record } = folder;
  const init = `Run \`${commandLine("init")}\`.`;
  if (record === null) {
    return [failed("files", `Nothing is installed in "${root}"`, init)];
  }
  const findings: Finding[] = [];
  if (record.version !== packaged.version) {
    findings.push(failed(
      "version",
      `The folder has version ${record.version}, this command is ${packaged.version}`,
      `Run \`${commandLine("upgrade")}\`, then \`${await pushCommand(
        root,
      )}\` and \`supabase functions deploy backup\`.`,
    ));
  } else findings.push(ok("version", packaged.version));
  const config = await readText(root, "supabase/config.toml") ?? "";
  const faults = configFaults(config);
  findings.push(
    faults.length === 0
      ? ok("config.toml", "[functions.backup] is as it must be")
      : failed("config.toml", faults.join("; "), init),
  );
  if (record.version !== packaged.version || faults.length > 0) return findings;
  const { changes, alteredMigrations } = await planChanges(folder, packaged, {
    versioning: record.versioning,
    now: new Date(),
  });
  const missing = changes.filter(({ before }) => before === null);
  const differing = changes.filter(({ before }) => before !== null);
  findings.push(
    missing.length === 0
      ? ok("files", `${counted(packaged.files.size, "file")} of the function, and the migrations`)
      : failed("files", `Missing: ${shortList(missing.map(({ path }) => path))}`, init),
    differing.length === 0 ? ok("own changes", "none") : warning(
      "own changes",
      `Changed by hand: ${shortList(differing.map(({ path }) => path))}`,
      `See them with \`${commandLine("init", "--dry-run")}\`. To replace them: \`${
        commandLine("init", "--overwrite")
      }\`.`,
    ),
    alteredMigrations.length === 0 ? ok("migrations", "as this release has them") : warning(
      "migrations",
      `Changed by hand: ${shortList(alteredMigrations)}`,
      "Restore them from version control: they may be applied already, so no command replaces them.",
    ),
  );
  return findings;
}

function shortList(paths: string[]): string {
  return paths.slice(0, 5).join(", ") + (paths.length > 5 ? ", …" : "");
}
