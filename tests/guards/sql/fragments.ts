/**
 * SQL that is put together when it is needed: the constants of format() and of `||`, read with stand-ins for what is
 * put in.
 */
import { parse, parsePlPgSQL, scan } from "libpg-query";
import { type Node, open, UNKNOWN } from "./tree.ts";

/** Where a part of a query may stand; `~` is the part. */
const PLACES = [
  "~",
  "select ~",
  "select 1 from ~",
  "select 1 from pg_class ~",
  "select 1 ~",
  "select 1 from pg_class where true ~",
  "select a.b ~",
  "select case ~ else 1 end",
  "select case when true ~ end",
  "insert into pg_class ~",
  "alter table pg_class ~",
  "create table pg_class (~)",
  "create table pg_class (a ~)",
  "create function a.b() returns trigger ~",
  "select 1 from pg_class join pg_am ~",
  "select length(~)",
  "with a as (select 1) ~",
];

/** Text with stand-ins, each of which may also be nothing. */
export interface Fragment {
  text: string;
  /** A whole query, or a part of one. */
  part: boolean;
  statements: Node[];
}

/** Reads text as SQL: as a query, or as a part of one. Null when it is neither. */
export async function readFragment(text: string, places = PLACES): Promise<Fragment | null> {
  for (const place of places) {
    // A part of nothing but stand-ins says nothing.
    const read = await readIn(place, text);
    if (read) return { ...read, part: place !== "~" };
  }
  return null;
}

/** What a stand-in may be: a name, an assignment, a query, nothing, or a literal. */
const FORMS: ((name: string) => string)[] = [
  (name) => name,
  (name) => `a = ${name}`,
  (name) => `select ${name}`,
  () => "",
  (name) => `'${name}'`,
];
const MOST_TRIES = 50;

/** Where the text cannot be read with one form of a stand-in, the next is tried. */
async function readIn(place: string, text: string): Promise<{ text: string; statements: Node[] } | null> {
  const [before, after] = place.split("~") as [string, string];
  // Every second piece is a stand-in.
  const pieces = text.split(new RegExp(`(${UNKNOWN}\\w+)`));
  const forms = pieces.map(() => 0);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const written = pieces.map((piece, index) => index % 2 === 0 ? piece : FORMS[forms[index]!]!(piece));
    try {
      const { stmts } = await parse(before + written.join("") + after);
      return stmts && stmts.length > 0 ? { text: written.join(""), statements: stmts } : null;
    } catch (error) {
      const { cursorPosition = 0 } = (error as { sqlDetails?: { cursorPosition?: number } }).sqlDetails ?? {};
      let place = before.length;
      let last = -1;
      for (const [index, piece] of written.entries()) {
        if (index % 2 === 1 && place <= cursorPosition && forms[index]! < FORMS.length - 1) last = index;
        place += piece.length;
      }
      if (last < 0) return null;
      forms[last]!++;
    }
  }
  return null;
}

/** Reads text as the body of a function in PL/pgSQL. Null when it is none. */
export function readBody(text: string): Promise<Node | null> {
  return parsePlPgSQL(`create function f() returns trigger language plpgsql as $guard$${text}$guard$`).catch(
    () => null,
  );
}

/** Returns whether text could be SQL that does harm: a cast or a comparison; of text of the schemas also any call. */
export async function isDangerous(text: string, strict: boolean): Promise<boolean> {
  const signs = ["::", "<>", "=", "<", ">", "distinct", "nullif", ...strict ? ["("] : []];
  try {
    return (await scan(text)).tokens.some(({ text }: { text: string }) => signs.includes(text.toLowerCase()));
  } catch {
    return signs.some((sign) => text.includes(sign));
  }
}

/** The text that an expression gives, with stand-ins for what is not constant; null when nothing of it is. */
export function textOf(expression: Node): string | null {
  const [kind, content] = open(expression);
  if (kind === "A_Const") return content.sval ? formatted(content.sval.sval ?? "") : null;
  if (kind === "FuncCall" && content.funcname.at(-1).String.sval === "format") {
    return content.args?.[0] ? textOf(content.args[0]) : null;
  }
  if (kind === "A_Expr" && content.name?.at(-1).String.sval === "||") {
    const [left, right] = [textOf(content.lexpr), textOf(content.rexpr)];
    if (left === null && right === null) return null;
    return (left ?? `${UNKNOWN}l`) + (right ?? `${UNKNOWN}r`);
  }
  return null;
}

/** What format() makes of a constant: `%I` and `%s` are not known, `%L` is a literal. */
function formatted(constant: string): string {
  let number = 0;
  return constant.replaceAll(
    /%(?:(\d+)\$)?(?:-?\d+)?([sIL%])/g,
    (_, position: string | undefined, kind: string) => {
      if (kind === "%") return "%";
      const name = position ?? ++number;
      return kind === "L" ? `'${name}'` : `${UNKNOWN}${kind.toLowerCase()}${name}`;
    },
  ).replaceAll(new RegExp(`operator\\((\\w+)\\.${UNKNOWN}\\w+\\)`, "g"), "operator($1.=)");
}
