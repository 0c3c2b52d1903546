/** The workflow that people copy for a weekly drill calls what there is, and hands over what the command reads. */
import assert from "node:assert/strict";

const read = (path: string) => Deno.readTextFile(new URL(`../../${path}`, import.meta.url));

Deno.test("docs/drill.yml runs the drill with the secrets that it reads, weekly, and keeps its report", async () => {
  const workflow = await read("docs/drill.yml");
  assert.equal(workflow.match(/supabase-backup drill$/gm)?.length, 1);
  assert.match(workflow, /- cron: "\d+ \d+ \* \* \d"/);
  const code = await Promise.all(
    [
      "cli/commands/drill.ts",
      "cli/commands/options.ts",
      "cli/project/find_project.ts",
      "cli/restore/pg_restore.ts",
    ].map(
      read,
    ),
  );
  const [, step = ""] = /run: npx supabase-backup drill\n +env:\n((?: {10}\S.*\n)+)/.exec(workflow) ?? [];
  const variables = [...step.matchAll(/^ +(\w+):/gm)].map(([, name]) => name!);
  assert.ok(variables.length >= 4, step);
  for (const name of variables) assert.ok(code.some((text) => text.includes(`"${name}"`)), `${name} is read`);
  const secrets = [...workflow.matchAll(/secrets\.(\w+)/g)].map(([, name]) => name!);
  for (const name of secrets) assert.match(workflow, new RegExp(`^# .*${name}`, "m"), `${name} is explained`);
  // The folder that the command writes to unless told.
  assert.match(workflow, /path: drills\/\n/);
  assert.ok(/"--report <folder>", .*, "drills"\)/.test(code[0]!));
});
