/** Functions and `do` blocks: their headers, and the queries in their bodies. */
import { parse, parsePlPgSQL } from "libpg-query";
import { holdsUsersValue } from "./judge.ts";
import { type Node, open, parts, walk } from "./tree.ts";

export interface Routine {
  /** Schema and name; null of a `do` block. */
  name: string | null;
  definer: boolean;
  searchPath: string[] | null;
  body: Body;
}

export interface Body {
  /** Queries and expressions, each with its text. */
  queries: { text: string; statements: Node[] }[];
  /** Names of variables and parameters that may hold a value of a user's type. */
  usersVariables: Set<string>;
  /** Types of variables and parameters. */
  types: string[];
  /** Expressions that are text for people. */
  messages: Set<string>;
}

/** Reads a statement that makes or runs a routine; null for any other. `source` is the statement's text. */
export async function readRoutine(statement: Node, source: string): Promise<Routine | null> {
  const [kind, content] = open(statement);
  if (kind === "DoStmt") {
    const body = option(content.args, "as").String.sval;
    return {
      name: null,
      definer: false,
      searchPath: null,
      body: await plpgsqlBody(wrapped(body), new Set()),
    };
  }
  if (kind !== "CreateFunctionStmt") return null;
  const settings = content.options.filter(({ DefElem }: Node) => DefElem.defname === "set")
    .map(({ DefElem }: Node) => DefElem.arg.VariableSetStmt)
    .filter(({ name }: Node) => name === "search_path");
  const parameters = (content.parameters ?? []).map(({ FunctionParameter }: Node) => FunctionParameter);
  const users = new Set<string>(
    parameters.filter(({ argType }: Node) => holdsUsersValue(parts(argType.names).join("."))).map((
      { name }: Node,
    ) => name),
  );
  return {
    name: parts(content.funcname).join("."),
    definer: option(content.options, "security")?.Boolean?.boolval === true,
    searchPath: settings.length === 0
      ? null
      : (settings[0].args ?? []).map((value: Node) => value.A_Const.sval?.sval ?? ""),
    body: await readBodyOf(content, source, users),
  };
}

async function readBodyOf(content: Node, source: string, users: Set<string>): Promise<Body> {
  const nothing = { queries: [], usersVariables: users, types: [], messages: new Set<string>() };
  const language = option(content.options, "language")?.String.sval;
  // The header of a function whose body is put in later, in the place of a number.
  const text = option(content.options, "as")?.List.items[0].String.sval;
  if (/^\d*$/.test(text ?? "x")) return nothing;
  if (content.sql_body) {
    const statements: Node[] = [];
    for (const item of content.sql_body.List?.items ?? [content.sql_body]) {
      statements.push(...(item.List?.items ?? [item]).map((stmt: Node) => ({ stmt })));
    }
    return { ...nothing, queries: [{ text: source, statements }] };
  }
  if (language === "plpgsql") return await plpgsqlBody(source, users);
  if (language !== "sql") return nothing;
  return { ...nothing, queries: [{ text, statements: (await parse(text)).stmts ?? [] }] };
}

function wrapped(body: string): string {
  return `create function f() returns void language plpgsql as $guard$${body}$guard$`;
}

/** Reads the queries of a function in PL/pgSQL, given as the statement that makes it. */
async function plpgsqlBody(source: string, users: Set<string>): Promise<Body> {
  // libpg-query takes no comment between the parts of a constant, PostgreSQL does.
  return bodyOf(await parsePlPgSQL(source.replaceAll(/'\n(\s*--[^\n]*\n)+(?=\s*')/g, "'\n")), users);
}

/** The same of a body that is parsed already. */
export async function bodyOf(tree: Node, users: Set<string>): Promise<Body> {
  const usersVariables = new Set(users);
  const types: string[] = [];
  const messages = new Set<string>();
  const expressions: { query: string; parseMode: number }[] = [];
  walk(tree, (kind, content) => {
    if (kind === "PLpgSQL_type") types.push(content.typname);
    if (kind === "PLpgSQL_raise_option") messages.add(asQuery(content.expr.PLpgSQL_expr));
    if (kind === "PLpgSQL_expr") expressions.push(content);
    // A row of a query that is made when it runs may be a user's.
    if (kind === "PLpgSQL_stmt_dynfors" && content.var?.PLpgSQL_rec) {
      usersVariables.add(content.var.PLpgSQL_rec.refname);
    }
  });
  const queries = await Promise.all(expressions.map(async (expression) => {
    const text = asQuery(expression);
    return { text, statements: (await parse(text)).stmts ?? [] };
  }));
  return { queries, usersVariables, types, messages };
}

/** Assignments and expressions as queries. */
function asQuery({ query, parseMode }: { query: string; parseMode: number }): string {
  if (parseMode === 2) return `select ${query}`;
  if (parseMode >= 3) return `select ${query.replace(/^[^=]*?:?=/, "")}`;
  return query;
}

function option(options: Node[], name: string): Node {
  return options.map(({ DefElem }: Node) => DefElem).find(({ defname }: Node) => defname === name)?.arg;
}
