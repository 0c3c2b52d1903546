/** The help of every command: on 80 columns, whole, and without what nobody wrote. */
import assert from "node:assert/strict";
import type { Command } from "commander";
import { assemble } from "../../cli/main.ts";
import { runCli } from "../e2e/command.ts";

const program = await assemble();

function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)];
}

const nowhere = { stack: { apiUrl: "http://127.0.0.1:1", keys: { secretKey: "k" } } } as Parameters<
  typeof runCli
>[0];

for (const command of all(program)) {
  Deno.test(`${command.name()} --help fits 80 columns`, () => {
    let help = "";
    command.configureOutput({ writeOut: (text) => help += text });
    command.outputHelp();
    const wide = help.split("\n").filter((line) => [...line].length > 80);
    assert.deepEqual(wide, []);
    assert.doesNotMatch(help, /undefined|\[\]|\bNaN\b/);
    assert.match(help, /^Usage: (supabase-backup|npm run) ?/);
    for (const { flags, description } of command.options) assert.ok(description, `${flags} is described`);
    for (const { flags, description } of command.options) assert.doesNotMatch(description!, /\.$/, flags);
    assert.ok(command.description().endsWith("."));
  });
}

Deno.test("every command that prints a result has --json", () => {
  const without = all(program).filter((command) => command.commands.length === 0)
    .filter((command) => !command.options.some(({ long }) => long === "--json")).map((command) =>
      command.name()
    );
  assert.deepEqual(without, ["demo"]);
});

Deno.test("docs/json.md has the object of each command, and the exit codes of --help", async () => {
  const document = await Deno.readTextFile(new URL("../../docs/json.md", import.meta.url));
  const commands = program.commands.flatMap((command) =>
    command.commands.length > 0
      ? command.commands.map((child) => `${command.name()} ${child.name()}`)
      : [command.name()]
  );
  assert.deepEqual(commands.filter((name) => !new RegExp(`^\\| \`${name}`, "m").test(document)), ["demo"]);
  const { out } = await runCli(nowhere, "", []);
  for (const code of ["0", "1", "2", "3", "129, 130, 143"]) {
    assert.match(out, new RegExp(`^ {2}${code}\\b`, "m"));
    assert.match(document, new RegExp(`^\\| ${code} \\|`, "m"));
  }
});

Deno.test("colors are for terminals, and not where NO_COLOR is set", async () => {
  const inTerminal = async (env: Record<string, string>) => {
    const { stdout } = await new Deno.Command("script", {
      args: ["-qec", `'${Deno.execPath()}' run -A --no-check cli/main.ts list --x`, "/dev/null"],
      cwd: new URL("../../", import.meta.url),
      stdin: "null",
      env: { TERM: "xterm", SHELL: "/bin/bash", NO_COLOR: "", ...env },
    }).output();
    return new TextDecoder().decode(stdout);
  };
  assert.ok((await inTerminal({})).includes("\x1b[31merror:\x1b[0m Unknown option"));
  assert.match(await inTerminal({ NO_COLOR: "1" }), /^error: Unknown option/m);
  assert.match((await runCli(nowhere, "list", ["--x"], { NO_COLOR: "" })).error, /^error: Unknown option/);
});

Deno.test("help is for standard output and ends with 0; wrong usage is one error and one hint, and ends with 2", async () => {
  const help = await runCli(nowhere, "restore", ["--help"]);
  assert.deepEqual([help.code, help.error], [0, ""]);
  assert.match(help.out, /--target-db-url <url>/);
  for (
    const args of [["--cleann"], ["--as", "x"], ["--jobs", "0"], ["--schema-only", "--data-only"], ["extra"]]
  ) {
    const wrong = await runCli(nowhere, "restore", args);
    assert.equal(wrong.code, 2, args.join(" "));
    assert.equal(wrong.out, "");
    assert.match(wrong.error, /^error: [^\n]+\nhint: Run `supabase-backup restore --help` for help\.\n$/);
  }
  const typo = await runCli(nowhere, "restoer", []);
  assert.match(typo.error, /Unknown command 'restoer' \(Did you mean restore\?\)/);
  assert.equal((await runCli(nowhere, "health", ["--nonsense"])).code, 3, "wrong usage is not a verdict");
});

Deno.test("help and hints say npm run, where npm ran the command", async () => {
  const npm = (script: string) => ({ npm_package_name: "supabase-backup", npm_lifecycle_event: script });
  const help = await runCli(nowhere, "log", ["--help"], npm("log"));
  assert.match(help.out, /^Usage: npm run log -- \[options\]\n/);
  assert.match(
    (await runCli(nowhere, "log", ["--x"], npm("log"))).error,
    /Run `npm run log -- --help` for help/,
  );
  const test = await runCli(nowhere, "alerts test", ["--help"], npm("alert:test"));
  assert.match(test.out, /^Usage: npm run alert:test -- \[options\]\n/);
  const other = { npm_package_name: "somebody-s-app", npm_lifecycle_event: "log" };
  assert.match((await runCli(nowhere, "log", ["--help"], other)).out, /^Usage: supabase-backup log/);
});

Deno.test("a variable that is set to nothing is not set", async () => {
  const { code, error } = await runCli(nowhere, "dump", [], { DATABASE_URL: "" });
  assert.deepEqual([code, /No database is named/.test(error)], [2, true], error);
});
