/** What this machine's server refuses of a backup, and what comes back all the same. */
import { tryRefused } from "./refused_cases.ts";

Deno.test("what the server refuses", (test) => tryRefused(test));
