/**
 * Later servers: what only they have, and databases with a little of everything. (tests/large tries every case on them.) There is no
 * pg_dump of their versions, so the restored database has to say the same again, and the script the lines that a case asks for.
 */
import { readCases } from "../corpus/cases.ts";
import { tryCases, UNWATCHED } from "../corpus/run.ts";
import { PACKAGED_VERSIONS, withPackagedServer } from "./packaged.ts";

/** What the machine's own server is too old for. */
const NEW_IN = 16;

const CHOSEN = [
  "constraint--primary-and-unique",
  "function--begin-atomic-needs-primary-key",
  "inheritance--grandchild-of-hidden-default",
  "mixed--company",
  "mixed--newlines-in-every-name",
  "mixed--order-across-kinds",
  "mixed--theatre",
  "partition--keys-and-indexes",
  "table--all-options-together",
  "table--grants-by-others-and-odd-roles",
];

for (const version of PACKAGED_VERSIONS) {
  Deno.test(`chosen cases come back on a server of version ${version}`, UNWATCHED, async (test) => {
    const cases = await readCases();
    const chosen = cases.filter(({ name, fromVersion }) => fromVersion >= NEW_IN || CHOSEN.includes(name));
    const strangers = CHOSEN.filter((name) => !cases.some((one) => one.name === name));
    if (strangers.length > 0) throw new Error(`No such cases: ${strangers.join(", ")}`);
    await withPackagedServer(version, (binDir) => tryCases(test, chosen, binDir));
  });
}
