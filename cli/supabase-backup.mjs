#!/usr/bin/env node
/** `supabase-backup COMMAND …` is `npm run COMMAND -- …`, from any folder. Deno runs the commands; Node only finds it. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const COMMANDS = "backup demo drill dump files health list log prune restore verify".split(" ");
const [command, ...args] = process.argv.slice(2);

if (!COMMANDS.includes(command)) {
  const isHelp = command === undefined || command === "--help" || command === "-h";
  const usage = `Usage: supabase-backup COMMAND [options]\n\nCommands: ${
    COMMANDS.join(", ")
  }. Each has --help.`;
  console[isHelp ? "log" : "error"](isHelp ? usage : `error: There is no command "${command}"\n\n${usage}`);
  process.exit(isHelp ? 0 : 2);
}

const script = fileURLToPath(new URL(`./${command}.ts`, import.meta.url));
const child = spawn(process.execPath, [denoProgram(), "run", "-A", script, ...args], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});

function denoProgram() {
  try {
    return createRequire(import.meta.url).resolve("deno/bin.cjs");
  } catch {
    console.error("error: deno is not installed\nhint: Run `npm ci` in the project's folder.");
    process.exit(1);
  }
}
