/**
 * Default privileges of the role that restores. An archive's grants say how an object differs from a new one;
 * where the target grants more to new objects by itself, these grants would stay: a table taken from anon in
 * the source would be open here.
 */
import { type DefaultPrivilege, isWhole } from "./context.ts";
import { type PlanStep, statements } from "./plan_step.ts";
import { quoted } from "./sql_text.ts";

/** pg_default_acl.defaclobjtype */
const TYPES = { r: "TABLES", S: "SEQUENCES", f: "FUNCTIONS", T: "TYPES", n: "SCHEMAS" };

/**
 * Gives new objects PostgreSQL's own privileges while the restore runs. A whole restore sets the source's
 * afterwards.
 */
export const neutralizeDefaultPrivileges: PlanStep = ({ options, defaultPrivileges: rows }) => {
  if (options.dataOnly || options.noOwner) return {};
  const takeAway = rows.map((row) => row.extra ? revoke(row) : grant(row)).join("");
  const giveBack = rows.map((row) => row.extra ? grant(row) : revoke(row)).join("");
  return {
    before: statements("default privileges", takeAway),
    after: statements("default privileges", isWhole(options) ? "" : giveBack),
  };
};

function revoke(row: DefaultPrivilege): string {
  return `${head(row)} REVOKE ${row.privilege} ON ${TYPES[row.type]} FROM ${grantee(row)};\n`;
}

function grant(row: DefaultPrivilege): string {
  return `${head(row)} GRANT ${row.privilege} ON ${TYPES[row.type]} TO ${grantee(row)}${
    row.grantable ? " WITH GRANT OPTION" : ""
  };\n`;
}

function head({ schema }: DefaultPrivilege): string {
  return `ALTER DEFAULT PRIVILEGES${schema === null ? "" : ` IN SCHEMA ${quoted(schema)}`}`;
}

function grantee({ grantee }: DefaultPrivilege): string {
  return grantee === "" ? "PUBLIC" : quoted(grantee);
}
