/**
 * Run by ending_test.ts: a runner with two busy workers, which never stops them. Arguments: folder of functions, and
 * "throw" to end by an uncaught error instead of waiting for its end.
 */
import { startFunctions } from "../../../stack/functions/functions.ts";
import { until } from "./runner.ts";

const functions = await startFunctions({
  functionsDir: Deno.args[0]!,
  env: {},
  jwtSecret: "a secret",
  verifyJwt: { loop: false, hang: false },
  limits: { cpuMs: 60_000 },
});
for (const name of ["loop", "hang"]) fetch(`${functions.url}/${name}`).catch(() => {});
await until(() => functions.workers().filter(({ state }) => state === "serving").length === 2);
await until(() => functions.workers().some(({ cpuMs }) => cpuMs > 50));
console.log(functions.workers().map(({ pid }) => pid).join(" "));
if (Deno.args[1] === "throw") throw new Error("the end of a runner, as a test wants it");
