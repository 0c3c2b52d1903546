/** Defaults and generation expressions inside the text of CREATE TABLE, as pg_dump writes it. */
import { IDENTIFIER } from "./sql_names.ts";
import { closing, tokenEnd } from "./sql_scan.ts";

export interface ColumnClause {
  /** As in the text: quoted where it must be. */
  column: string;
  type: string;
  /** The expression of a default; `GENERATED ALWAYS AS (…) STORED`. */
  text: string;
}

export interface BareColumns {
  definition: string;
  defaults: ColumnClause[];
  generated: ColumnClause[];
}

const COLUMN = new RegExp(`^ {4}(${IDENTIFIER}) `);
const GENERATED = " GENERATED ALWAYS AS (";
const DEFAULT = " DEFAULT ";

/** What may stand behind a default. */
const BEHIND = /^(?: NOT NULL| COLLATE | CONSTRAINT |,\n|\n\))/;

/**
 * Returns the definition without defaults, and without generated columns' expressions where asked, and what they were.
 */
export function withoutColumnClauses(definition: string, withGenerated: boolean): BareColumns {
  const bare: BareColumns = { definition: "", defaults: [], generated: [] };
  let column: { name: string; typeAt: number } | null = null;
  for (let at = 0; at < definition.length;) {
    if (at === 0 || definition[at - 1] === "\n") {
      const [line, name] = COLUMN.exec(definition.slice(at)) ?? [];
      column = line === undefined || name === "CONSTRAINT" ? null : { name: name!, typeAt: at + line.length };
    }
    if (column !== null && definition.startsWith(DEFAULT, at)) {
      let end = at + DEFAULT.length;
      while (end < definition.length && !BEHIND.test(definition.slice(end, end + 16))) {
        end = definition[end] === "(" ? closing(definition, end + 1) : tokenEnd(definition, end);
      }
      const text = definition.slice(at + DEFAULT.length, end);
      bare.defaults.push({ column: column.name, type: definition.slice(column.typeAt, at), text });
      at = end;
    } else if (column !== null && withGenerated && definition.startsWith(GENERATED, at)) {
      const [behind] = /^(?: STORED)?(?: NOT NULL)?/.exec(
        definition.slice(closing(definition, at + GENERATED.length)),
      )!;
      const end = closing(definition, at + GENERATED.length) + behind.length;
      const text = definition.slice(at + 1, end);
      bare.generated.push({ column: column.name, type: definition.slice(column.typeAt, at), text });
      at = end;
    } else {
      const end = definition[at] === "(" && column !== null
        ? closing(definition, at + 1)
        : tokenEnd(definition, at);
      bare.definition += definition.slice(at, end);
      at = end;
    }
  }
  return bare;
}
