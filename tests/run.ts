/**
 * `npm test`: all tests but the long ones, in two processes side by side, since most tests wait for other programs more than they
 * work. The output of the first is shown as it comes, that of the second behind it, then one line for both.
 */

const LONG = ["tests/faults", "tests/large"];

/** The first takes about as long as the rest. */
const FIRST = ["contract", "corpus", "guards", "restore", "servers", "sql", "unit"].map((name) =>
  `tests/${name}`
);

interface Outcome {
  passed: number;
  steps: number;
  failed: number;
}

const begin = performance.now();
const decoder = new TextDecoder();
const rest = (await Array.fromAsync(Deno.readDir("tests")))
  .filter(({ isDirectory }) => isDirectory).map(({ name }) => `tests/${name}`)
  .filter((folder) => ![...LONG, ...FIRST].includes(folder)).sort();
const behind: Uint8Array[] = [];
const outcomes = await Promise.all([run(FIRST, write), run(rest, (bytes) => behind.push(bytes))]);
behind.forEach(write);
const sum = (read: (outcome: Outcome) => number) =>
  outcomes.reduce((total, outcome) => total + read(outcome), 0);
const failed = sum((outcome) => outcome.failed);
const seconds = Math.round((performance.now() - begin) / 1000);
console.log(
  `${failed === 0 ? "ok" : "FAILED"} | ${sum(({ passed }) => passed)} passed (${
    sum(({ steps }) => steps)
  } steps) | ${failed} failed ` +
    `(${Math.floor(seconds / 60)}m${seconds % 60}s)`,
);
if (failed > 0) Deno.exitCode = 1;

function write(bytes: Uint8Array): void {
  for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
}

/** Runs the tests of the folders. A process that ends badly has a failed test at least, also when it died before it could say so. */
async function run(folders: string[], show: (bytes: Uint8Array) => unknown): Promise<Outcome> {
  const tests = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", ...folders],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  for await (const bytes of tests.stdout) {
    show(bytes);
    text = (text + decoder.decode(bytes)).slice(-10_000);
  }
  const { success } = await tests.status;
  // deno's own last line: `ok | 123 passed (4 steps) | 0 failed (12s)`
  // deno-lint-ignore no-control-regex
  const plain = text.replace(/\x1b\[[0-9;]*m/g, "");
  const [, passed = 0, steps = 0, failed = 0] =
    /(?:ok|FAILED) \| (\d+) passed(?: \((\d+) steps?\))? \| (\d+) failed/.exec(plain) ?? [];
  return { passed: Number(passed), steps: Number(steps), failed: success ? 0 : Math.max(1, Number(failed)) };
}
