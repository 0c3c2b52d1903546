/** Runs the user's own checks: SQL files whose every row must be true. */
import type { Target } from "../target/target.ts";
import type { Check } from "../../supabase/functions/backup/compare/check.ts";

/** Where they lie in a project. */
export const USER_CHECKS = "supabase/tests/drill";

/** Runs each `.sql` file of the folder in a transaction that is rolled back. No folder, no checks. */
export async function runUserChecks({ session: { sql } }: Target, folder: string): Promise<Check[]> {
  const checks: Check[] = [];
  for (const name of await sqlFiles(folder)) {
    const what = `own check: ${name}`;
    await sql.unsafe("begin read only").simple();
    try {
      const answer: unknown = await sql.unsafe(await Deno.readTextFile(`${folder}/${name}`)).simple();
      checks.push({ what, ...outcomeOf(answer) });
    } catch (error) {
      checks.push({ what, outcome: "failed", detail: (error as Error).message });
    } finally {
      await sql.unsafe("rollback").simple();
    }
  }
  return checks;
}

/** In a file with several statements the last one that returns rows counts. */
function outcomeOf(answer: unknown): Pick<Check, "outcome" | "detail"> {
  const results = (Array.isArray((answer as unknown[])[0]) ? answer : [answer]) as Record<
    string,
    unknown
  >[][];
  const rows = results.filter(({ length }) => length > 0).at(-1) ?? [];
  if (rows.length === 0) {
    return { outcome: "failed", detail: "it returns no row; expected rows that are true" };
  }
  const wrong = rows.filter((row) => Object.values(row)[0] !== true && Object.values(row)[0] !== "t");
  return wrong.length === 0 ? { outcome: "passed", detail: `${rows.length} rows are true` } : {
    outcome: "failed",
    detail: `${wrong.length} of ${rows.length} rows are not true: ${JSON.stringify(wrong[0])}`,
  };
}

async function sqlFiles(folder: string): Promise<string[]> {
  try {
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    return names.filter((name) => name.endsWith(".sql")).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
