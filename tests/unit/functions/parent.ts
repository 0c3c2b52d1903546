/** Run by ending_test.ts: a runner with two busy workers, which waits for its own end. Argument: folder of functions. */
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
