/** Everything that a command shows goes through one place, which makes names of other people harmless. */
import assert from "node:assert/strict";
import { sourceFiles } from "./source_files.ts";

const PLACE = "cli/terminal/output.ts";

/**
 * Ways around it: the global console, the streams themselves, built-in dialogs, libraries that write or color by
 * themselves.
 */
const AROUND = [
  /\bconsole\b/,
  /\b(Deno|process)\s*\.\s*(stdout|stderr)\b/,
  /\{[^}]*\b(stdout|stderr)\b[^}]*\}\s*=\s*(Deno|process)\b/,
  /(?<![.\w])(alert|confirm|prompt)\(/,
  /\/dev\/(stdout|stderr|tty|fd)/,
  /"(picocolors|cli-progress|cli-table3|chalk|ora)"/,
  /(stdout|stderr)(:|"\s*,)\s*"inherit"/,
  /\\x1b\[|\\u001b\[|\\u\{1b\}\[/i,
];

function waysAround(source: string): string[] {
  return AROUND.flatMap((pattern) => pattern.exec(source)?.[0] ?? []);
}

Deno.test("no file of the command line writes to the terminal but one", async () => {
  const files = (await sourceFiles("cli")).filter(({ path }) =>
    path !== PLACE && path !== "cli/terminal/style.ts"
  );
  assert.ok(files.length > 30);
  const wrong = files.flatMap(({ path, source }) => waysAround(source).map((found) => `${path}: ${found}`));
  assert.deepEqual(wrong, []);
});

Deno.test("the guard sees each way around it", () => {
  const sources = [
    `console.log(name)`,
    `const { log } = console`,
    `Deno.stderr.writeSync(bytes)`,
    `process.stdout.write(name)`,
    `const { stdout } = Deno;`,
    `alert(name)`,
    `Deno.openSync("/dev/tty")`,
    `import colors from "picocolors";`,
    `new Deno.Command("x", { stderr: "inherit" })`,
    "`\\x1b[31m${name}`",
  ];
  for (const source of sources) assert.equal(waysAround(source).length > 0, true, source);
});
