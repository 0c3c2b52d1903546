/** `prune`: what rotation would remove now, with reasons, and its removal. */
import { Command, Option } from "commander";
import { findProject, type Project } from "../project/find_project.ts";
import { call } from "../project/function_client.ts";
import { commandLine } from "../terminal/called_as.ts";
import { CommandError } from "../terminal/errors.ts";
import { printJson, printResult } from "../terminal/output.ts";
import { ask } from "../terminal/prompt.ts";
import { colors } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import { jsonOption, PROJECT_NOTE } from "./options.ts";

/** The answer of the function. */
export interface Pruning {
  keep: { name: string; reasons: string[] }[];
  remove: { name: string; reason: string }[];
  removed: string[];
  warnings: { code: string; object: string; message: string }[];
}

interface Options {
  dryRun?: true;
  yes?: true;
  json?: true;
}

export const command = new Command("prune")
  .summary("remove the backups that rotation no longer keeps")
  .description(
    "Show which backups stay and which go by the present settings (backup.configure(keep_scheduled => …)), and " +
      "remove those that go. Pinned backups and the newest verified one always stay.",
  )
  .addOption(new Option("--dry-run", "show them and remove nothing").conflicts("yes"))
  .option("--yes", "remove them without asking")
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE)
  .action(async ({ dryRun, yes, json }: Options) => {
    const project = await findProject();
    const plan = await prune(project, []);
    const names = plan.remove.map(({ name }) => name);
    if (dryRun || names.length === 0) return json ? printJson(plan) : printResult(...planTable(plan));
    if (!json) printResult(...planTable(plan));
    if (!yes) await confirmed(names.length);
    const done = await prune(project, names);
    if (json) printJson(done);
    else printResult(...doneText(done));
    const left = names.filter((name) => !done.removed.includes(name));
    if (left.length > 0) {
      throw new CommandError(
        `Cannot remove ${left.join(", ")}`,
        `See the warnings above; run \`${commandLine("prune", "--dry-run")}\` to see what is left.`,
      );
    }
  });

/** Plans, and removes those of `names` that the plan removes too. */
async function prune(project: Project, names: string[]): Promise<Pruning> {
  return await call<Pruning>(project, { prune: { remove: names } });
}

async function confirmed(count: number): Promise<void> {
  const answer = await ask(
    `Remove ${count} of them for good? (yes)`,
    "Say --yes, or --dry-run to look only.",
  );
  if (answer !== "yes") throw new CommandError(`"${answer}" is not "yes"`, "Nothing was removed.");
}

export function planTable({ keep, remove, warnings }: Pruning): string[] {
  if (keep.length + remove.length === 0) {
    return [`No backup yet. Start one with \`${commandLine("backup")}\`.`];
  }
  const rows = [
    ...keep.map(({ name, reasons }) => [name, colors.green("keep"), reasons.join(", ")]),
    ...remove.map(({ name, reason }) => [name, colors.red("remove"), reason]),
  ].sort(([a], [b]) => b!.localeCompare(a!));
  return [...table(["backup", "", "why"], rows), ...warnings.map(warningText)];
}

function doneText({ removed, warnings }: Pruning): string[] {
  return [`${colors.green("✔")} removed ${removed.join(", ") || "nothing"}`, ...warnings.map(warningText)];
}

function warningText({ object, message }: Pruning["warnings"][number]): string {
  return `${colors.yellow("warning:")} ${object}: ${message}`;
}
