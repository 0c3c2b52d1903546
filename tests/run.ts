/**
 * `npm test`: the tests that show each part at work, in a few minutes. `npm run test:long`: others, in half an hour.
 * `npm run test:all`: both, and then those that take longest. They print deno's own report; a report in JUnit's form
 * goes to the folder that TEST_REPORTS names.
 *
 * Clusters are in memory where there is room: most of a small cluster's life is spent on making its files.
 */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";

/** Ten seconds of processor time each, or more, but for the few that stand for their part in `npm test`. */
const LONG = [
  "tests/alerts/alerts_test.ts",
  "tests/cli/restore_ends_test.ts",
  "tests/contract/storage_cli_test.ts",
  "tests/copies/",
  "tests/e2e/callers_test.ts",
  "tests/e2e/faults_test.ts",
  "tests/e2e/hosted_test.ts",
  "tests/e2e/versions_test.ts",
  "tests/encryption/backup_test.ts",
  "tests/engine/refused_entries_test.ts",
  "tests/engine/restore_test.ts",
  "tests/health/",
  "tests/inside/",
  "tests/inspect/commands_test.ts",
  "tests/inspect/stored_archive_test.ts",
  "tests/install/",
  "tests/large/corpus_test.ts",
  "tests/large/history_attacks_test.ts",
  "tests/page/live_test.ts",
  "tests/page/page_test.ts",
  "tests/restore/comparison_test.ts",
  "tests/restore/data_only_test.ts",
  "tests/restore/demo_test.ts",
  "tests/restore/forged_backup_test.ts",
  "tests/restore/hosted_",
  "tests/restore/parallel_test.ts",
  "tests/restore/project_test.ts",
  "tests/restore/server_test.ts",
  "tests/restore/some_tables_test.ts",
  "tests/security/fuzz_test.ts",
  "tests/security/injection_test.ts",
  "tests/security/planner_test.ts",
  "tests/security/secrets_test.ts",
  "tests/security/strangers_test.ts",
  "tests/security/token_test.ts",
  "tests/servers/",
  "tests/sql/content_test.ts",
  "tests/sql/db_push_test.ts",
  "tests/unit/stack/stack_test.ts",
  "tests/versioning/attack_test.ts",
];

/** Long ones that measure memory or time, or kill at a moment: they need more of the machine. */
const HEAVY = [
  "tests/faults/bank_test.ts",
  "tests/large/copy_of_large_backup_test.ts",
  "tests/large/encrypted_test.ts",
  "tests/large/many_invocations_test.ts",
];

/** The others, which take an hour: every fault at every point, every case on every server, many backups in a row. */
const LONGEST = ["tests/faults/", "tests/large/"];

/** Started first, each by itself, the longest first: a long file that begins last is waited for. */
const FIRST = ["tests/corpus/corpus_test.ts", "tests/e2e/backup_test.ts"];

/** It looks at its process's children, which others may not share. */
const ALONE = ["tests/unit/functions/ending_test.ts"];

/** Files of one folder that share a process: fewer processes to start, and still enough to be shared out. */
const FILES_PER_PROCESS = 4;

const MEMORY = "/dev/shm";
const ROOM_BYTES = 4 * 2 ** 30;

/** At a time for each processor: a test waits about as long as it works. */
const RUNS_PER_PROCESSOR = 2;

const isAll = Deno.args.includes("--all");
const isLong = isAll || Deno.args.includes("--long");
const temporary = await makeFolder();
const clusters = hasRoom(MEMORY) ? await makeFolder(MEMORY) : temporary;
const deployments = `${temporary}/deployments`;
await Deno.mkdir(deployments);
await Deno.chmod(deployments, 0o711);
const removal = removeAtTheEnd(temporary, clusters);

const files = (await testFiles("tests")).sort();
const of = (starts: string[]) => files.filter((file) => starts.some((start) => file.startsWith(start)));
const byThemselves = (files: string[]) => files.map((file) => [file]);
const rest = files.filter((file) => !of([...LONG, ...LONGEST, ...FIRST, ...ALONE]).includes(file));
const short = [
  ...byThemselves([...FIRST, ...ALONE]),
  // Those of a unit are done in a moment, so they fill the end.
  ...byFolder(rest.filter((file) => !file.startsWith("tests/unit/"))),
  ...byFolder(rest.filter((file) => file.startsWith("tests/unit/"))),
];
const atATime = navigator.hardwareConcurrency * RUNS_PER_PROCESSOR;
const failed: string[] = [];
if (!Deno.args.includes("--long")) failed.push(...await runAll(short, atATime));
if (isLong) {
  failed.push(...await runAll(byThemselves(of(LONG)), atATime));
  failed.push(...await runAll(byThemselves(of(HEAVY)), navigator.hardwareConcurrency));
}
if (isAll) {
  const longest = of(LONGEST).filter((file) => !of([...LONG, ...HEAVY]).includes(file));
  failed.push(...await runAll(byThemselves(longest), navigator.hardwareConcurrency));
}
await removal.close();
if (failed.length > 0) console.error(`Failed: ${failed.join(" ")}`);
Deno.exit(failed.length === 0 ? 0 : 1);

/** Runs lists of files, each in a process of its own, so many at a time. Returns the files of those that fail. */
async function runAll(runs: string[][], atATime: number): Promise<string[]> {
  const failed: string[] = [];
  const waiting = runs.values();
  const takeTurns = async () => {
    for (const files of waiting) if (!await run(files)) failed.push(...files);
  };
  await Promise.all(Array.from({ length: atATime }, takeTurns));
  return failed;
}

/** Prints what deno has said when it has ended, so that the reports of several do not mix. */
async function run(files: string[]): Promise<boolean> {
  const name = files[0]!.replaceAll("/", "-");
  const [report, log] = [
    `${Deno.env.get("TEST_REPORTS") ?? temporary}/${name}.xml`,
    `${temporary}/${name}.log`,
  ];
  // To a file: a pipe would be open as long as any process that a test has left.
  const { success } = await new Deno.Command("sh", {
    args: [
      "-c",
      'exec "$@" >"$0" 2>&1',
      log,
      Deno.execPath(),
      "test",
      "-A",
      "--no-check",
      `--junit-path=${report}`,
      ...files,
    ],
    env: {
      TMPDIR: temporary,
      STACK_CLUSTERS: clusters,
      STACK_DEPLOYMENTS: deployments,
      // What a machine may lack is skipped with a word, or fails.
      ...(isLong ? { ALL_TESTS: "true" } : {}),
    },
  }).spawn().status;
  console.log(await Deno.readTextFile(log));
  return success;
}

/** The files of each folder in lists of a few. */
function byFolder(files: string[]): string[][] {
  const folders = Map.groupBy(files, (file) => dirname(file));
  return [...folders.values()].flatMap((files) =>
    Array.from(
      { length: Math.ceil(files.length / FILES_PER_PROCESS) },
      (_, index) => files.slice(index * FILES_PER_PROCESS, (index + 1) * FILES_PER_PROCESS),
    )
  );
}

async function testFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await testFiles(`${folder}/${name}`));
    else if (name.endsWith("_test.ts")) found.push(`${folder}/${name}`);
  }
  return found;
}

function hasRoom(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize >= ROOM_BYTES;
  } catch {
    return false;
  }
}

/** A folder that the account of the servers and workers may enter. */
async function makeFolder(dir?: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "tests-", ...(dir === undefined ? {} : { dir }) });
  await Deno.chmod(folder, 0o711);
  return folder;
}

/** Removes the folders when this process ends, however that is: a pipe closes with it. */
function removeAtTheEnd(...folders: string[]): { close(): Promise<void> } {
  const remover = new Deno.Command("setsid", {
    // What still ends may write for a moment.
    args: ["sh", "-c", `read -r _; rm -rf "$@" || { sleep 2; rm -rf "$@"; }`, "remover", ...folders],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async close() {
      await remover.stdin.close();
      await remover.status;
    },
  };
}
