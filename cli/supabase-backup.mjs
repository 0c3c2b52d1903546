#!/usr/bin/env node
/**
 * `supabase-backup COMMAND …`, from any folder. Node only finds Deno, which runs the commands. It starts the program
 * itself, not the deno package's launcher: that one ends with 0 when the program is killed, and passes no signal on.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// A checkout has the commands as they are written, the package as JavaScript.
const written = fileURLToPath(new URL("./main.ts", import.meta.url));
const script = existsSync(written) ? written : fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
// A heap that begins small is collected for every few buffers: a third of the CPU of reading whole backups.
const readsAll = ["diff", "verify"].includes(process.argv[2]);
const flags = readsAll ? ["--v8-flags=--initial-heap-size=100"] : [];
const args = ["run", "-A", ...flags, script, ...process.argv.slice(2)];
const child = spawn(denoProgram(), args, { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
if (process.env.npm_lifecycle_event) {
  // npm passes a signal to its shell, and the shell does not pass it on.
  const shell = process.ppid;
  setInterval(() => process.ppid === shell || child.kill("SIGTERM"), 250).unref();
}
child.on("error", (error) => {
  console.error(`error: Cannot start Deno: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  // As a shell reports a program that was killed.
  process.exit(signal === null ? code : 128 + constants.signals[signal]);
});

function denoProgram() {
  try {
    const require = createRequire(import.meta.url);
    const program = join(
      dirname(require.resolve("deno/package.json")),
      process.platform === "win32" ? "deno.exe" : "deno",
    );
    // The package puts it there when it is first used.
    return existsSync(program) ? program : require("deno/install_api.cjs").runInstall();
  } catch {
    console.error("error: Deno is not installed\nhint: Run `npm ci` in the project's folder.");
    process.exit(1);
  }
}
