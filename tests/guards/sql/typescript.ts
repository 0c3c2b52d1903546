/** SQL in TypeScript: every constant text, with stand-ins for what is put into it. */
import { parseSync } from "oxc-parser";
import type { SourceFile } from "../source_files.ts";
import { type Node, UNKNOWN } from "./tree.ts";

export interface SqlText {
  where: string;
  text: string;
  /** It is sent as it stands, or named as SQL: it must be readable as such. */
  certain: boolean;
}

/** Calls and tags that send their text to a server. */
const SENDERS = ["unsafe", "rows", "eachRow", "copy", "sql", "transaction", "tx"];
const NAMED_AS_SQL = /(sql|query|_columns|Sql)$|^(query|sql|join)$|_SQL\b|QUERY/;

/** Constants of all files, by name: `const SOME_SQL = "…"`, `const NUMBER = 64`. */
export type Constants = Map<string, string>;

/** Reads the constants of files; those of a name that has two meanings are not known. */
export function readConstants(files: SourceFile[]): Constants {
  const found = new Map<string, string | null>();
  for (const { path, source } of files) {
    visit(program(path, source), (node) => {
      if (node.type !== "VariableDeclarator" || !/^[A-Z][A-Z\d_]*$/.test(node.id.name ?? "") || !node.init) {
        return;
      }
      const text = node.init.type === "Literal" ? String(node.init.value) : plainTemplate(node.init);
      if (text !== null) {
        found.set(node.id.name, found.has(node.id.name) && found.get(node.id.name) !== text ? null : text);
      }
    });
  }
  return new Map([...found].filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Reads every text of a file that could be SQL. */
export function readTexts({ path, source }: SourceFile, constants: Constants): SqlText[] {
  const texts: SqlText[] = [];
  visit(program(path, source), (node, ancestors) => {
    const isTemplate = node.type === "TemplateLiteral";
    if (!isTemplate && !(node.type === "Literal" && typeof node.value === "string")) return;
    const parent = ancestors.at(-1);
    if (
      parent?.type.startsWith("Import") || parent?.type.startsWith("Export") ||
      parent?.type === "TSLiteralType"
    ) return;
    const tagged = parent?.type === "TaggedTemplateExpression";
    const line = source.slice(0, node.start).split("\n").length;
    texts.push({
      where: `${path}:${line}`,
      text: isTemplate ? templateText(node, tagged, constants) : node.value,
      certain: tagged && SENDERS.includes(calleeName(parent.tag)) || isSent(node, ancestors),
    });
  });
  return texts;
}

/** Returns whether a file opens a session of its own: whether it calls `postgres(…)`. */
export function opensSession({ path, source }: SourceFile): boolean {
  let opens = false;
  visit(program(path, source), (node) => {
    opens ||= node.type === "CallExpression" && node.callee.name === "postgres";
  });
  return opens;
}

function isSent(node: Node, ancestors: Node[]): boolean {
  for (const ancestor of [...ancestors].reverse()) {
    if (ancestor.type === "CallExpression") {
      return ancestor.arguments.includes(node) && SENDERS.includes(calleeName(ancestor.callee));
    }
    if (ancestor.type === "VariableDeclarator") return NAMED_AS_SQL.test(ancestor.id.name ?? "");
    if (ancestor.type === "Property") return NAMED_AS_SQL.test(ancestor.key.name ?? "");
    if (ancestor.type === "FunctionDeclaration") return /Sql$/.test(ancestor.id?.name ?? "");
    // A text inside of another, a comparison or a list is not sent itself.
    if (
      ![
        "ConditionalExpression",
        "ArrowFunctionExpression",
        "ReturnStatement",
        "BlockStatement",
        "TSAsExpression",
      ].includes(ancestor.type)
    ) {
      return false;
    }
  }
  return false;
}

function calleeName(callee: Node): string {
  if (callee.type === "MemberExpression") return callee.property.name ?? "";
  return callee.name ?? "";
}

function templateText(template: Node, tagged: boolean, constants: Constants): string {
  return template.quasis.map((quasi: Node, index: number) => {
    const text = quasi.value.cooked ?? quasi.value.raw;
    const expression = template.expressions[index];
    if (!expression) return text;
    if (expression.type === "Identifier" && constants.has(expression.name)) {
      return text + constants.get(expression.name);
    }
    if (expression.type === "Literal") return text + expression.value;
    // postgres.js sends values beside the query; sql(…) is a name.
    const isValue = tagged && expression.type !== "TaggedTemplateExpression" &&
      !(expression.type === "CallExpression" && SENDERS.includes(calleeName(expression.callee)));
    return text + (isValue ? `$${index + 1}` : `${UNKNOWN}t${index + 1}`);
  }).join("");
}

function plainTemplate(node: Node): string | null {
  return node.type === "TemplateLiteral" && node.expressions.length === 0
    ? node.quasis[0].value.cooked
    : null;
}

function program(path: string, source: string): Node {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`Cannot parse ${path}: ${errors[0]!.message}`);
  return program;
}

function visit(node: Node, call: (node: Node, ancestors: Node[]) => void, ancestors: Node[] = []): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, call, ancestors);
    return;
  }
  if (node === null || typeof node !== "object") return;
  const isNode = typeof node.type === "string";
  if (isNode) call(node, ancestors);
  for (const value of Object.values(node)) {
    if (value !== null && typeof value === "object") {
      visit(value, call, isNode ? [...ancestors, node] : ancestors);
    }
  }
}
