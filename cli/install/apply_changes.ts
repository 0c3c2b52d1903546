/** Shows what is to be written, asks about what a person has changed, and writes it. */
import { createTwoFilesPatch } from "diff";
import { join } from "node:path";
import { ask } from "../terminal/prompt.ts";
import { colors } from "../terminal/style.ts";
import type { Change, Plan } from "./plan_changes.ts";
import { writeRecord, writeText } from "./project_folder.ts";

export interface ApplyOptions {
  /** Writes nothing. */
  dryRun: boolean;
  /** Overwrites without asking what was changed by hand. */
  overwrite: boolean;
  /** Prints lines. */
  show: (...lines: string[]) => void;
}

/**
 * Applies a plan. Returns the files that stay as a person has changed them. Throws CommandError where nobody can be
 * asked.
 */
export async function applyChanges(
  root: string,
  { changes, record }: Plan,
  { dryRun, overwrite, show }: ApplyOptions,
): Promise<string[]> {
  const kept: string[] = [];
  // Asked before anything is written, so that an answer that is not given leaves the project as it was.
  for (const change of changes.filter(({ byHand }) => byHand)) {
    show(...diffLines(change));
    if (dryRun || overwrite) continue;
    const answer = await ask(
      `"${change.path}" was changed by hand. Overwrite it? [y/n]`,
      "Add --overwrite to replace every file that was changed by hand, or --dry-run to see the differences.",
    );
    if (!/^y(es)?$/i.test(answer)) kept.push(change.path);
  }
  for (const change of changes) {
    const verb = kept.includes(change.path)
      ? colors.yellow("kept")
      : change.after === null
      ? colors.red("removed")
      : change.before === null
      ? colors.green("created")
      : colors.green("changed");
    if (!isOneOfMany(change, changes)) show(`  ${verb}  ${change.path}`);
    if (dryRun || kept.includes(change.path)) continue;
    if (change.after === null) await Deno.remove(join(root, change.path));
    else await writeText(root, change.path, change.after);
  }
  const many = changes.filter((change) => isOneOfMany(change, changes));
  if (many.length > 0) {
    show(`  ${colors.green("written")}  ${many.length} files of supabase/functions/backup`);
  }
  if (!dryRun) await writeRecord(root, record);
  return kept;
}

/** A first installation writes some hundred files of the function: they are counted, not listed. */
function isOneOfMany({ path, byHand }: Change, changes: Change[]): boolean {
  const inFunction = (path: string) => path.startsWith("supabase/functions/");
  return !byHand && inFunction(path) && changes.filter((change) => inFunction(change.path)).length > 10;
}

/** Returns the change as a unified diff, in colours. */
function diffLines({ path, before, after }: Change): string[] {
  const patch = createTwoFilesPatch(path, path, before ?? "", after ?? "", "now", "after", { context: 2 });
  return patch.trimEnd().split("\n").filter((line) => !/^=+$/.test(line)).map((line) => {
    if (line.startsWith("+")) return colors.green(line);
    return line.startsWith("-") ? colors.red(line) : line;
  });
}

/** Returns what was, or would be, done with each file. */
export function changesAsJson(changes: Change[], kept: string[]): { path: string; action: string }[] {
  return changes.map(({ path, before, after }) => {
    const done = after === null ? "removed" : before === null ? "created" : "changed";
    return { path, action: kept.includes(path) ? "kept" : done };
  });
}
