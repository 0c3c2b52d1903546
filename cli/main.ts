/** `supabase-backup COMMAND …`: puts the commands together, and ends with their exit codes. */
import { Command, CommanderError } from "commander";
import { commandLine, isNpm } from "./terminal/called_as.ts";
import { UsageError } from "./terminal/errors.ts";
import { printResult } from "./terminal/output.ts";
import { runToEnd } from "./terminal/run.ts";
import { VERSION } from "../supabase/functions/backup/version.ts";

/** Loaded when they are needed: a command starts without the others. */
const COMMANDS: Record<string, () => Promise<{ command: Command }>> = {
  backup: () => import("./commands/backup.ts"),
  list: () => import("./commands/list.ts"),
  show: () => import("./commands/show.ts"),
  find: () => import("./commands/find.ts"),
  diff: () => import("./commands/diff.ts"),
  ui: () => import("./commands/ui.ts"),
  log: () => import("./commands/log.ts"),
  health: () => import("./commands/health.ts"),
  prune: () => import("./commands/prune.ts"),
  alerts: () => import("./commands/alerts.ts"),
  verify: () => import("./commands/verify.ts"),
  download: () => import("./commands/download.ts"),
  drill: () => import("./commands/drill.ts"),
  restore: () => import("./commands/restore.ts"),
  files: () => import("./commands/files.ts"),
  dump: () => import("./commands/dump.ts"),
  init: () => import("./commands/init.ts"),
  upgrade: () => import("./commands/upgrade.ts"),
  doctor: () => import("./commands/doctor.ts"),
  uninstall: () => import("./commands/uninstall.ts"),
  demo: () => import("./commands/demo.ts"),
};

const EXIT_CODES = `
Exit codes:
  0    success; health: the backups are ok
  1    failure, or a fault was found; health: warning
  2    wrong usage; health: failing
  3    restore: done with exceptions; health: unknown (nothing could be asked)
  129, 130, 143
       interrupted by SIGHUP, SIGINT (Ctrl-C), SIGTERM`;

const HELP_WIDTH = 80;

/** Returns the program with the command of that name, or with all of them. */
export async function assemble(name?: string): Promise<Command> {
  const program = new Command(isNpm ? "npm run" : "supabase-backup")
    .description("Back up a Supabase project, and restore it.")
    .version(VERSION, "--version", "show the version")
    .addHelpText("after", EXIT_CODES);
  const load = name === undefined ? undefined : COMMANDS[name];
  for (const one of load === undefined ? Object.values(COMMANDS) : [load]) {
    program.addCommand((await one()).command);
  }
  configure(program, []);
  return program;
}

function configure(command: Command, path: string[]): void {
  command.exitOverride().helpCommand(false).helpOption("-h, --help", "show this help");
  command.configureOutput({
    writeOut: (text) => printResult(...text.trimEnd().split("\n")),
    // Errors are thrown, and printed where all others are.
    writeErr: () => {},
    getOutHelpWidth: () => HELP_WIDTH,
    getErrHelpWidth: () => HELP_WIDTH,
  });
  command.configureHelp({
    subcommandTerm: (one) => one.name(),
    commandUsage: (one) => {
      if (one.commands.length > 0) return `${[commandLine(path.join(" ")), "COMMAND"].join(" ")} [options]`;
      return commandLine(path.join(" "), "[options]");
    },
  });
  for (const child of command.commands) configure(child, [...path, child.name()]);
}

/** Turns wrong usage into one message and one hint: a page of help would push the error off the screen. */
function asUsageError(error: unknown, args: readonly string[]): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.code === "commander.help") return new UsageError("No command is named", seeHelp(args));
  const message = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
  return new UsageError(message.charAt(0).toUpperCase() + message.slice(1), seeHelp(args));
}

function seeHelp([name]: readonly string[]): string {
  const known = name !== undefined && Object.hasOwn(COMMANDS, name);
  return `Run \`${known ? commandLine(name, "--help") : "supabase-backup --help"}\` for help.`;
}

async function main(args: string[]): Promise<void> {
  try {
    const name = args[0] !== undefined && Object.hasOwn(COMMANDS, args[0]) ? args[0] : undefined;
    const program = await assemble(name);
    if (args.length === 0) return program.outputHelp();
    forgetEmptyVariables(program);
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    throw asUsageError(error, args);
  }
}

/** A variable that is set to nothing, as workflows do with a secret that is missing, is not set. */
function forgetEmptyVariables(command: Command): void {
  for (const { envVar } of command.options) {
    if (envVar !== undefined && !Deno.env.get(envVar)) Deno.env.delete(envVar);
  }
  command.commands.forEach(forgetEmptyVariables);
}

if (import.meta.main) {
  const codes = Deno.args[0] === "health" ? { failed: 3, usage: 3 } : { failed: 1, usage: 2 };
  await runToEnd(() => main(Deno.args), codes);
}
