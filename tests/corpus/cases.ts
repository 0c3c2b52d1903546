/** The corpus: folders `<kind>--<case>` that hold nothing but SQL. */

export interface Case {
  name: string;
  /** Path of setup.sql, which psql loads into an empty database. */
  setup: string;
  /** Of the database; UTF8 unless the first lines of setup.sql say `-- encoding: NAME`. */
  encoding: string;
  /** Why the archive is compared but not restored (`-- not restored: REASON`); null for nearly all. */
  notRestored: string | null;
  /** Why that version's pg_dump has no archive to compare with (`-- pg_dump fails: REASON`); null for nearly all. */
  oracleFails: string | null;
  /** Servers that have what it shows (`-- from version: 17`, `-- until version: 15`). */
  fromVersion: number;
  untilVersion: number;
  /**
   * Lines that the script must have (`-- says: LINE`): what no comparison would miss where there is no pg_dump to
   * compare with, because a restored database lacks what its archive lacked.
   */
  says: string[];
}

const FOLDER = decodeURIComponent(new URL("./", import.meta.url).pathname);

/** Cases whose name contains `part`, by name. Throws for a folder without setup.sql and for an unknown first line. */
export async function readCases(part = ""): Promise<Case[]> {
  const names: string[] = [];
  for await (const { isDirectory, name } of Deno.readDir(FOLDER)) {
    if (isDirectory && name.includes(part)) names.push(name);
  }
  return await Promise.all(names.sort().map(readCase));
}

/** One case of each kind, and the mixed ones. */
export function chosenOf(cases: Case[]): Set<Case> {
  const first = new Map<string, Case>();
  for (const one of cases.toReversed()) first.set(one.name.split("--")[0]!, one);
  return new Set([...first.values(), ...cases.filter(({ name }) => name.startsWith("mixed--"))]);
}

async function readCase(name: string): Promise<Case> {
  if (!/^[a-z]+(-[a-z0-9]+)*--[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
    throw new Error(`tests/corpus/${name}: the name is not <kind>--<case>`);
  }
  const setup = `${FOLDER}${name}/setup.sql`;
  const facts: Record<string, string> = {};
  const says: string[] = [];
  for (const line of (await Deno.readTextFile(setup)).split("\n")) {
    const [, key, value] =
      line.match(/^-- (encoding|not restored|from version|until version|pg_dump fails|says): (.+)$/) ??
        [];
    if (key === undefined) break;
    if (key === "says") says.push(value!);
    else facts[key] = value!;
  }
  return {
    name,
    setup,
    says,
    encoding: facts["encoding"] ?? "UTF8",
    notRestored: facts["not restored"] ?? null,
    oracleFails: facts["pg_dump fails"] ?? null,
    fromVersion: Number(facts["from version"] ?? 0),
    untilVersion: Number(facts["until version"] ?? Infinity),
  };
}
