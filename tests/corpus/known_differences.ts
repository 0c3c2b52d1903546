/** Cases that are known to fail, with the reason. A case that is listed here and passes fails the run. */
export const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  "database--strings-not-standard":
    "pg_dump spells strings as the database's standard_conforming_strings has it, we always as the standard",
};
