/** Cases that are known to fail, with the reason. A case that is listed here and passes fails the run. */
interface KnownDifference {
  reason: string;
  /** First major version of which this holds; all without it. */
  from?: number;
}

const ALL: Readonly<Record<string, KnownDifference>> = {
  "constraint--not-null-inherited-quoted": {
    from: 18,
    reason:
      "pg_dump does not quote the name of a NOT NULL constraint of an inherited column, so that its script may not run",
  },
  "constraint--primary-over-nulls-not-distinct": {
    reason:
      "pg_dump writes PRIMARY KEY NULLS NOT DISTINCT, which no server takes; we leave the words out, which mean nothing without nulls",
  },
  "database--strings-not-standard": {
    reason:
      "pg_dump spells strings as the database's standard_conforming_strings has it, we always as the standard",
  },
  "inheritance--grandchild-of-hidden-default": {
    from: 16,
    reason: "pg_dump forgets the null that hides a grandparent's default, so that its archive restores one",
  },
  "members--of-isn": {
    reason:
      "pg_dump leaves members of an operator family that have one number in the order of the server's plan, ours come by their types",
  },
};

export const KNOWN_CASES: string[] = Object.keys(ALL);

/** Returns why the case's archive differs from that of pg_dump of a major version; undefined when it does not. */
export function knownDifference(name: string, version: number): string | undefined {
  const known = ALL[name];
  return known === undefined || version < (known.from ?? 0) ? undefined : known.reason;
}
