/** CHECK constraints inside the text of CREATE TABLE and CREATE DOMAIN, as pg_dump writes it. */
import { IDENTIFIER } from "./sql_names.ts";
import { closing, tokenEnd } from "./sql_scan.ts";

export interface CheckClause {
  name: string;
  /** `CHECK (…)`, with NO INHERIT where it has it. */
  text: string;
}

const BEGIN = new RegExp(`(?:,\\n)?[ \\t]*CONSTRAINT (${IDENTIFIER}) (CHECK \\()`, "y");

/** Returns the definition without them, and what they were. */
export function withoutChecks(definition: string): { definition: string; checks: CheckClause[] } {
  const checks: CheckClause[] = [];
  let rest = "";
  for (let at = 0; at < definition.length;) {
    BEGIN.lastIndex = at;
    const found = BEGIN.exec(definition);
    if (found === null) {
      const end = tokenEnd(definition, at);
      rest += definition.slice(at, end);
      at = end;
      continue;
    }
    let end = closing(definition, at + found[0].length);
    const [inherit] = /^ NO INHERIT/.exec(definition.slice(end)) ?? [""];
    end += inherit.length;
    checks.push({ name: found[1]!, text: definition.slice(at + found[0].length - found[2]!.length, end) });
    // The first of a list has its comma behind it.
    const [comma] = found[0].startsWith(",") ? [""] : /^,\n/.exec(definition.slice(end)) ?? [""];
    at = end + comma.length;
  }
  return { definition: rest, checks };
}
