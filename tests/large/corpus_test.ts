/** Every case of the corpus on the machine's server; our engine restores it by several connections. */
import { tryEveryCase } from "../corpus/every_case.ts";
import { UNWATCHED } from "../corpus/run.ts";

Deno.test("every case is the same, and comes back", UNWATCHED, (test) => tryEveryCase(test, 3));
