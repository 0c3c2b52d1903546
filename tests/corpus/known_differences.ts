/** Cases that are known to fail, with the reason. A case that is listed here and passes fails the run. */
export const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  "constraint--primary-over-nulls-not-distinct":
    "pg_dump writes PRIMARY KEY NULLS NOT DISTINCT, which no server takes; we leave the words out, which mean nothing without nulls",
  "database--strings-not-standard":
    "pg_dump spells strings as the database's standard_conforming_strings has it, we always as the standard",
  "members--of-isn":
    "pg_dump leaves members of an operator family that have one number in the order of the server's plan, ours come by their types",
};
