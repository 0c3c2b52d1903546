/**
 * Writes docs/reliability.md from what the tests have recorded (results.ts):
 *   SOAK_COUNT=200 RELIABILITY_RESULTS=/tmp/results deno test -A --no-check tests/faults tests/health \
 *     tests/large/soak_test.ts
 *   deno run -A tests/faults/matrix.ts /tmp/results
 * A case that was recorded twice has its last outcome.
 */
import { findBinaries } from "../../stack/postgres/binaries.ts";
import type { Result } from "./results.ts";

const DOCUMENT = new URL("../../docs/reliability.md", import.meta.url);

const HEAD = `# Reliability

What happens when something fails in the middle of a backup, and what a person sees of it. **Every row is the recorded
outcome of a test that was run**: a real PostgreSQL, a real worker process, a fault at a named moment; the table is
written by \`tests/faults/matrix.ts\`, and a guard compares its rows with the cases that the tests have.

**attempts**: how many snapshots the run took; it has three at most, and how many it needs depends on who else held the
snapshot in that moment. **alarm**: what \`backup.health\` had then. **then**: what the test saw to be true afterwards.
"Nothing left over" means that the bucket held the backups of the log, each with what its manifest names, and nothing
else.

Run on {date} with PostgreSQL {version}. Tried again by \`npm run test:all\` (faults) and \`npm run test:long\` (health).
`;

interface Section {
  title: string;
  test: string;
  text: string;
}

/** In the order of the document. */
export const SECTIONS: Section[] = [
  {
    title: "A worker is killed",
    test: "tests/faults/points_test.ts",
    text:
      "SIGKILL to the worker's process at a named point of the run, with one worker at a time and with three.",
  },
  { title: "Those who hold the snapshot", test: "tests/faults/holders_test.ts", text: "" },
  { title: "Limits of the platform", test: "tests/faults/limits_test.ts", text: "" },
  {
    title: "Migrations",
    test: "tests/faults/migrations_test.ts",
    text: "A statement that wants its table alone, while the backup reads. `lock_timeout_ms` was a second.",
  },
  { title: "Writers at full speed", test: "tests/faults/bank_test.ts", text: "" },
  {
    title: "What ends backups unnoticed elsewhere",
    test: "tests/health/silence_test.ts",
    text: "The alarm is what `backup.health` and `backup.events` had at that time.",
  },
  {
    title: "Many in a row",
    test: "tests/large/soak_test.ts",
    text: "Random faults, one after the other; the seed is printed and can be given again.",
  },
];

/** One row for a case and number of workers: the last one recorded. */
export function rowsOf(results: Result[], test: string): string[] {
  const last = new Map<string, Result>();
  for (const result of results.filter((one) => one.test === test)) {
    last.set(`${result.case} ${result.workers}`, result);
  }
  return [...last.values()].map((result) => {
    const workers = result.workers === null ? "" : `, ${result.workers} at a time`;
    const ended = result.status === null
      ? ""
      : result.errorCode === null || result.status === "succeeded"
      ? result.status
      : `${result.status}: \`${result.errorCode}\``;
    const alarms = result.alarms.map((code) => `\`${code}\``).join(", ");
    return `| ${result.case}${workers} | ${ended} | ${result.attempt ?? ""} | ${alarms} | ${result.then} |`;
  });
}

export function documentOf(results: Result[], date: string, version: string): string {
  const sections = SECTIONS.map(({ title, test, text }) => {
    const rows = rowsOf(results, test);
    return [
      `\n## ${title}\n`,
      `\`${test}\`${text === "" ? "" : `.\n${text}`}\n`,
      "| what happens, and when | the run | attempts | alarm | then |",
      "|---|---|---|---|---|",
      ...rows,
    ].join("\n");
  });
  return HEAD.replace("{date}", date).replace("{version}", version) + sections.join("\n") + "\n";
}

if (import.meta.main) {
  const [path] = Deno.args;
  if (path === undefined) throw new Error("Give the file that RELIABILITY_RESULTS named.");
  const results = (await Deno.readTextFile(path)).split("\n").filter(Boolean).map((line) =>
    JSON.parse(line) as Result
  );
  const { stdout } = await new Deno.Command(`${await findBinaries()}/postgres`, { args: ["--version"] })
    .output();
  const version = new TextDecoder().decode(stdout).match(/\d+\.\d+/)?.[0] ?? "?";
  await Deno.writeTextFile(DOCUMENT, documentOf(results, new Date().toISOString().slice(0, 10), version));
}
