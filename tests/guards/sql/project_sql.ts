/** Everything that the project sends to a server or keeps in one, judged. */
import { parse } from "libpg-query";
import type { SourceFile } from "../source_files.ts";
import { isDangerous, readBody, readFragment, textOf } from "./fragments.ts";
import { type CatalogNames, judge } from "./judge.ts";
import { bodyOf, readRoutine, type Routine } from "./routines.ts";
import { type Finding, type Node, open, UNKNOWN, walk } from "./tree.ts";
import { type Constants, readTexts } from "./typescript.ts";

const SEARCH_PATH = "pg_catalog, pg_temp";

/** Judges a file of SQL: its statements, its functions, and the SQL that they make. */
export async function judgeSqlFile({ path, source }: SourceFile, names: CatalogNames): Promise<Finding[]> {
  const findings: Finding[] = [];
  const bytes = new TextEncoder().encode(source);
  for (const { stmt, stmt_location: from = 0, stmt_len: length } of (await parse(source)).stmts ?? []) {
    const text = new TextDecoder().decode(
      bytes.subarray(from, length === undefined ? undefined : from + length),
    );
    const routine = await readRoutine(stmt, text);
    const where = routine?.name ? `${path}: ${routine.name}()` : path;
    const report = reporter(findings, where, text);
    judge([{ stmt }], { names, usersVariables: new Set(), fragment: false, strict: true, report });
    if (routine) await judgeRoutine(routine, names, where, findings);
  }
  return unique(findings);
}

async function judgeRoutine(
  routine: Routine,
  names: CatalogNames,
  where: string,
  findings: Finding[],
): Promise<void> {
  if (routine.name !== null && (routine.searchPath ?? ["none"]).join(", ") !== SEARCH_PATH) {
    const path = routine.searchPath === null ? "none" : `'${routine.searchPath.join(", ")}'`;
    findings.push({
      where,
      fault: `the search_path is not ${SEARCH_PATH}`,
      text: `${routine.definer ? "security definer, " : ""}${path}`,
    });
  }
  for (const type of routine.body.types) {
    const plain = type.replaceAll(/%|\[.*\]|\(.*\)/g, "").trim();
    if (/^\w+$/.test(plain) && !names.types.has(plain) && !SQL_TYPES.includes(plain)) {
      findings.push({ where, fault: `the type "${plain}" has no schema`, text: type });
    }
  }
  const { usersVariables } = routine.body;
  for (const { text, statements } of routine.body.queries) {
    judge(statements, {
      names,
      usersVariables,
      fragment: false,
      strict: true,
      report: reporter(findings, where, text),
    });
    if (!routine.body.messages.has(text)) await judgeTextsIn(statements, names, where, findings);
  }
}

/** Names of types that are the grammar's. */
const SQL_TYPES = ["integer", "bigint", "smallint", "boolean", "character", "decimal", "real", "record"];

/** Judges SQL in the texts that expressions give: in format(), around `||`, and in plain constants. */
async function judgeTextsIn(
  statements: Node[],
  names: CatalogNames,
  where: string,
  findings: Finding[],
): Promise<void> {
  const texts: string[] = [];
  const collect = (node: Node) =>
    walk(node, (kind, content) => {
      const text = ["A_Const", "FuncCall", "A_Expr"].includes(kind) ? textOf({ [kind]: content }) : null;
      if (text === null) return;
      texts.push(text);
      // What is put into the text is text of its own.
      if (kind === "FuncCall") collect(content.args.slice(1));
      if (kind === "A_Expr") collect(operands(content).filter((operand) => textOf(operand) === null));
      return false;
    });
  collect(statements);
  for (const text of new Set(texts)) await judgeText(text, names, where, findings, false, true);
}

/** What stands between the `||` of a chain. */
function operands({ lexpr, rexpr }: Node): Node[] {
  return [lexpr, rexpr].flatMap((operand) => {
    const [kind, content] = open(operand);
    return kind === "A_Expr" && content.name?.at(-1).String?.sval === "||" ? operands(content) : [operand];
  });
}

/** Judges text that may be SQL, or a part of it. */
async function judgeText(
  text: string,
  names: CatalogNames,
  where: string,
  findings: Finding[],
  certain: boolean,
  strict: boolean,
): Promise<void> {
  if (!/[a-z]{2}/i.test(text)) return;
  if (
    !certain && !await isDangerous(text, strict) &&
    !/^\s*(select|insert|update|delete|with|copy|create|declare)\b/i.test(text)
  ) return;
  const fragment = await readFragment(text);
  const report = reporter(findings, where, text);
  if (fragment) {
    judge(fragment.statements, { names, usersVariables: new Set(), fragment: fragment.part, strict, report });
    for (const { stmt } of fragment.statements) {
      const routine = await readRoutine(stmt, fragment.text).catch(() => null);
      if (routine) await judgeRoutine(routine, names, where, findings);
    }
    return;
  }
  const body = /\bbegin\b/.test(text) ? await readBody(text) : null;
  if (body) {
    const routine = { name: null, definer: false, searchPath: null, body: await bodyOf(body, new Set()) };
    await judgeRoutine(routine, names, where, findings);
  } else if (certain || text.includes("::")) {
    findings.push({ where, fault: "cannot be read as SQL", text: oneLine(text) });
  }
}

/** Judges SQL in a file of TypeScript. */
export async function judgeTypeScript(
  file: SourceFile,
  constants: Constants,
  names: CatalogNames,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { where, text, certain } of readTexts(file, constants)) {
    await judgeText(text, names, where, findings, certain, false);
  }
  return unique(findings);
}

function reporter(findings: Finding[], where: string, text: string) {
  return (fault: string, node: Node) => findings.push({ where, fault, text: excerpt(text, node) });
}

/** The text around the place of a node. */
function excerpt(text: string, node: Node): string {
  let location = -1;
  walk({ node }, (_, content) => {
    if (location < 0 && typeof content.location === "number") location = content.location;
  });
  if (location < 0 && typeof node.location === "number") location = node.location;
  return oneLine(location < 0 ? text : text.slice(Math.max(0, location - 30), location + 60));
}

function oneLine(text: string): string {
  return text.replaceAll(new RegExp(`${UNKNOWN}\\w+`, "g"), "…").replaceAll(/\s+/g, " ").trim().slice(0, 100);
}

function unique(findings: Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}
