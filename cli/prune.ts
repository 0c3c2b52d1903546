/** `npm run prune`: what rotation would remove now, with reasons, and its removal. */
import { parseArgs } from "node:util";
import colors from "picocolors";
import { findProject, type Project } from "./project.ts";
import { ask } from "./restore/ask.ts";
import { call } from "./runs.ts";
import { CommandError, runCommand, table } from "./terminal.ts";

const USAGE = `Usage: npm run prune [-- --dry-run | --yes] [--json]

Shows which stored backups stay and which go by the settings of now (select backup.configure(keep_scheduled => …)), and why;
then removes those that go. Pinned backups and the newest verified one always stay.

  --dry-run   only show
  --yes       do not ask
  --json      as JSON

Project: SUPABASE_URL and SUPABASE_SECRET_KEY, else the running stack.`;

/** The function's answer. */
export interface Pruning {
  keep: { name: string; reasons: string[] }[];
  remove: { name: string; reason: string }[];
  removed: string[];
  warnings: { code: string; object: string; message: string }[];
}

if (import.meta.main) {
  await runCommand(USAGE, async (args) => {
    const { values } = parseArgs({
      args,
      options: { "dry-run": { type: "boolean" }, yes: { type: "boolean" }, json: { type: "boolean" } },
    });
    const project = await findProject();
    const plan = await prune(project, []);
    const names = plan.remove.map(({ name }) => name);
    if (values["dry-run"] || names.length === 0) {
      return console.log(values.json ? JSON.stringify(plan, null, 2) : planTable(plan));
    }
    if (!values.json) console.log(planTable(plan));
    if (!values.yes) confirmed(names.length);
    const done = await prune(project, names);
    console.log(values.json ? JSON.stringify(done, null, 2) : doneText(done));
    const left = names.filter((name) => !done.removed.includes(name));
    if (left.length > 0) {
      throw new CommandError(
        `${left.join(", ")}: not removed`,
        "See the warnings; prune again to see how it stands now.",
      );
    }
  });
}

/** Plans, and removes those of `names` that the plan removes as well. */
async function prune(project: Project, names: string[]): Promise<Pruning> {
  return await call<Pruning>(project, { prune: { remove: names } });
}

function confirmed(count: number): void {
  const answer = ask(`Remove ${count} of them for good? (yes)`, "Say --yes, or --dry-run to look only.");
  if (answer !== "yes") throw new CommandError(`"${answer}" is not "yes"`, "Nothing was removed.");
}

export function planTable({ keep, remove, warnings }: Pruning): string {
  if (keep.length + remove.length === 0) return "No backup yet. Start one with `npm run backup`.";
  const rows = [
    ...keep.map(({ name, reasons }) => [name, colors.green("keep"), reasons.join(", ")]),
    ...remove.map(({ name, reason }) => [name, colors.red("remove"), reason]),
  ].sort(([a], [b]) => b!.localeCompare(a!));
  return [table(["backup", "", "why"], rows), ...warnings.map(warningText)].join("\n");
}

function doneText({ removed, warnings }: Pruning): string {
  return [`${colors.green("✔")} removed ${removed.join(", ") || "nothing"}`, ...warnings.map(warningText)]
    .join("\n");
}

function warningText({ object, message }: Pruning["warnings"][number]): string {
  return `${colors.yellow("warning:")} ${object}: ${message}`;
}
