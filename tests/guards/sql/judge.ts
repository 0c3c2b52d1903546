/**
 * Judges a parsed query. A value of a type that a user made may meet no cast, operator or function whose choice depends
 * on that type: PostgreSQL would choose one that the user made. And every name must lead to something of the catalog,
 * or of a schema that is ours or the platform's.
 */
import { isStandIn, isUnknown, type Node, open, parts, walk } from "./tree.ts";

/** What the search_path of the project, `pg_catalog, pg_temp`, finds first. */
export interface CatalogNames {
  relations: Set<string>;
  types: Set<string>;
  functions: Set<string>;
}

/** Schemas in which only the project and the platform make objects, with columns of types of the catalog. */
const TRUSTED = [
  "pg_catalog",
  "information_schema",
  "backup",
  "versioning",
  "versioning_private",
  "cron",
  "net",
  "storage",
  "auth",
  "vault",
];

/** Transition tables of versioning's triggers: rows of users' tables. */
const TRANSITIONS = ["new_rows", "old_rows"];

/** Columns that no user can make. */
const SYSTEM_COLUMNS = ["ctid", "tableoid", "xmin", "xmax"];

/**
 * Functions that take any type as it is, without a cast, and run nothing of that type's but its output function. The
 * value is whether a user's value comes out.
 */
const ANY_TYPE: Record<string, boolean> = {
  count: false,
  pg_typeof: false,
  pg_column_size: false,
  num_nulls: false,
  num_nonnulls: false,
  format: false,
  concat: false,
  concat_ws: false,
  record_out: false,
  enum_out: false,
  enum_eq: false,
  array_out: false,
  range_out: false,
  multirange_out: false,
  domain_out: false,
  array_length: false,
  cardinality: false,
  unnest: true,
  array_agg: true,
  lag: true,
  lead: true,
  first_value: true,
  last_value: true,
};

/** Functions of the catalog that turn a value of a user's type into another by a cast or operator of that type. */
const POLYMORPHIC_PARAMETER = [
  "anyelement",
  "anyarray",
  "anynonarray",
  "anyenum",
  "anyrange",
  "anycompatible",
  "record",
];

/** Which columns of a relation hold users' values; the others are as `rest` says. */
interface Columns {
  rest: boolean;
  known: Map<string, boolean>;
}

const TRUSTED_COLUMNS: Columns = { rest: false, known: new Map() };
const USERS_COLUMNS: Columns = { rest: true, known: new Map() };

export interface Surroundings {
  names: CatalogNames;
  /** Variables and parameters of the function that hold values of users' types. */
  usersVariables: Set<string>;
  /** The text is a part of a query: a name alone may be a row of a user's table. */
  fragment: boolean;
  /** A part that is only known later counts as a user's value where nothing says otherwise. */
  strict: boolean;
  report: (fault: string, node: Node) => void;
}

interface Scope {
  relations: Map<string, Columns>;
  ctes: Map<string, Columns>;
  outer: Scope | null;
}

/** Judges statements as parse() gives them. */
export function judge(statements: Node[], surroundings: Surroundings): void {
  const judging = new Judging(surroundings);
  for (const { stmt } of statements) judging.statement(stmt);
}

class Judging {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  statement(statement: Node): void {
    const [kind, content] = open(statement);
    this.#dispatch(kind, content, null);
  }

  /** Anything: a query by its rules, other statements by what is in them. Returns the columns of a query. */
  #dispatch(kind: string, content: Node, outer: Scope | null): Columns {
    switch (kind) {
      case "SelectStmt":
        return this.#select(content, outer);
      case "InsertStmt":
      case "UpdateStmt":
      case "DeleteStmt":
      case "MergeStmt":
        return this.#change(kind, content, outer);
      case "CreateFunctionStmt":
      case "DoStmt":
        // Their bodies are text; who reads routines judges them.
        this.#names({ [kind]: content });
        return TRUSTED_COLUMNS;
      default:
        this.#below(content, newScope(outer));
        return TRUSTED_COLUMNS;
    }
  }

  #select(select: Node, outer: Scope | null): Columns {
    const scope = newScope(outer);
    this.#with(select.withClause, scope);
    if (select.op && select.op !== "SETOP_NONE") {
      const left = this.#select(select.larg, scope);
      const right = this.#select(select.rarg, scope);
      this.#below({ sort: select.sortClause, limit: select.limitCount }, scope);
      return { rest: left.rest || right.rest, known: new Map() };
    }
    for (const item of select.fromClause ?? []) this.#from(item, scope);
    const known = new Map<string, boolean>();
    let rest = false;
    for (const { ResTarget: target } of select.targetList ?? []) {
      const users = this.#value(target.val, scope);
      const name = target.name ?? lastField(target.val);
      if (name === "*") rest ||= users;
      else known.set(name, users);
    }
    for (const list of select.valuesLists ?? []) {
      for (const value of list.List.items) if (this.#value(value, scope)) rest = true;
    }
    this.#condition(select.whereClause, scope);
    this.#condition(select.havingClause, scope);
    // Sorting and grouping go by the type's default operator class, which only a superuser can make.
    for (
      const part of [
        "groupClause",
        "distinctClause",
        "windowClause",
        "sortClause",
        "limitCount",
        "limitOffset",
      ]
    ) {
      this.#below(select[part], scope);
    }
    return { rest, known };
  }

  #change(kind: string, change: Node, outer: Scope | null): Columns {
    const scope = newScope(outer);
    this.#with(change.withClause, scope);
    const target = this.#relation(change.relation, scope);
    if (target.rest) this.#report("a user's table is written with our rights", change.relation);
    if (kind === "InsertStmt") scope.relations.set("excluded", target);
    for (const item of [...change.fromClause ?? [], ...change.usingClause ?? []]) this.#from(item, scope);
    if (change.sourceRelation) this.#from(change.sourceRelation, scope);
    if (change.selectStmt) {
      const source = this.#dispatch(...open(change.selectStmt), scope);
      if (source.rest || [...source.known.values()].includes(true)) {
        this.#report(
          "a user's value is stored in a column of another type: an assignment cast",
          change.relation,
        );
      }
    }
    for (const { ResTarget: column } of change.targetList ?? []) {
      if (this.#value(column.val, scope) && !target.rest) {
        this.#report("a user's value is stored in a column of another type: an assignment cast", column.val);
      }
    }
    this.#condition(change.whereClause ?? change.joinCondition, scope);
    this.#below(change.onConflictClause, scope);
    this.#below(change.mergeWhenClauses, scope);
    const columns: Columns = { rest: false, known: new Map() };
    for (const { ResTarget: column } of change.returningClause?.exprs ?? change.returningList ?? []) {
      columns.known.set(column.name ?? lastField(column.val), this.#value(column.val, scope));
    }
    return columns;
  }

  #with(clause: Node, scope: Scope): void {
    for (const { CommonTableExpr: expression } of clause?.ctes ?? []) {
      if (clause.recursive) scope.ctes.set(expression.ctename, TRUSTED_COLUMNS);
      const columns = this.#dispatch(...open(expression.ctequery), scope);
      scope.ctes.set(expression.ctename, renamed(columns, expression.aliascolnames));
    }
  }

  #from(item: Node, scope: Scope): void {
    const [kind, content] = open(item);
    switch (kind) {
      case "RangeVar":
        this.#relation(content, scope);
        break;
      case "RangeSubselect": {
        const columns = this.#dispatch(...open(content.subquery), scope);
        add(scope, content.alias, renamed(columns, content.alias?.colnames));
        break;
      }
      case "RangeFunction": {
        let users = false;
        for (const entry of content.functions) {
          for (const call of entry.List.items) {
            if (open(call)[0] !== "") users = this.#value(call, scope) || users;
          }
        }
        const columns = users ? USERS_COLUMNS : TRUSTED_COLUMNS;
        const call = content.functions[0].List.items[0].FuncCall;
        add(scope, content.alias ?? { aliasname: call ? parts(call.funcname).at(-1) : "" }, columns);
        for (const definition of content.coldeflist ?? []) this.#names(definition);
        break;
      }
      case "JoinExpr":
        this.#from(content.larg, scope);
        this.#from(content.rarg, scope);
        if (content.usingClause || content.isNatural) {
          if ([...scope.relations.values()].some(({ rest }) => rest)) {
            this.#report("a join by names of columns compares users' values", content);
          }
        }
        this.#condition(content.quals, scope);
        break;
      default:
        this.#below(item, scope);
    }
  }

  /** A relation named in a query, which the scope knows from then on. */
  #relation(relation: Node, scope: Scope): Columns {
    const { schemaname: schema, relname: name } = relation;
    let columns: Columns | undefined;
    if (schema === undefined) {
      columns = findCte(scope, name) ?? (TRANSITIONS.includes(name) ? USERS_COLUMNS : undefined);
      if (columns === undefined) {
        if (isUnknown(name)) columns = USERS_COLUMNS;
        else if (this.#around.names.relations.has(name)) columns = TRUSTED_COLUMNS;
        else {
          this.#report(`the relation "${name}" has no schema`, relation);
          columns = USERS_COLUMNS;
        }
      }
    } else columns = TRUSTED.includes(schema) && !isUnknown(name) ? TRUSTED_COLUMNS : USERS_COLUMNS;
    add(scope, relation.alias ?? { aliasname: name }, renamed(columns, relation.alias?.colnames));
    return columns;
  }

  #condition(node: Node, scope: Scope): void {
    // A condition that is put in is text of SQL, not a column.
    if (node && this.#value(node, scope) && !isBare(node)) {
      this.#report("a user's value is taken for a truth: a cast", node);
    }
  }

  /** As #value(), but a part that is put in is a user's only beside a user's table. */
  #operand(node: Node, scope: Scope): boolean {
    return this.#value(node, scope) && !(isBare(node) && this.#isHarmless(scope));
  }

  #isHarmless(scope: Scope): boolean {
    const relations = allRelations(scope);
    return !relations.some(isUsers) && (relations.length > 0 || !this.#around.strict);
  }

  /** Judges an expression. Returns whether its value is of a user's type. */
  #value(node: Node, scope: Scope): boolean {
    if (!node) return false;
    const [kind, content] = open(node);
    switch (kind) {
      case "ColumnRef":
        return this.#column(parts(content.fields), scope);
      case "A_Const":
      case "ParamRef":
      case "SetToDefault":
      case "SQLValueFunction":
        return false;
      case "A_Indirection":
        for (const step of content.indirection) this.#below(step, scope);
        return this.#value(content.arg, scope);
      case "TypeCast":
        return this.#cast(content, scope);
      case "A_Expr": {
        // Read as a test for null, which compares nothing.
        if (/DISTINCT$/.test(content.kind) && (isNull(content.lexpr) || isNull(content.rexpr))) {
          for (const operand of [content.lexpr, content.rexpr]) this.#value(operand, scope);
          return false;
        }
        const operands = [...many(content.lexpr), ...many(content.rexpr)];
        const users = operands.map((operand) => this.#operand(operand, scope));
        if (users.includes(true)) {
          this.#report(`operator ${parts(content.name).join(".")} on a user's value`, node);
        }
        return false;
      }
      case "FuncCall":
        return this.#call(content, scope);
      case "BoolExpr":
      case "BooleanTest":
        for (const argument of many(content.args ?? content.arg)) this.#condition(argument, scope);
        return false;
      case "NullTest":
        this.#value(content.arg, scope);
        return false;
      case "CaseExpr": {
        const compared = content.arg && this.#value(content.arg, scope);
        if (compared) this.#report("case compares a user's value", node);
        let users = this.#value(content.defresult, scope);
        for (const { CaseWhen: branch } of content.args) {
          if (content.arg) this.#value(branch.expr, scope);
          else this.#condition(branch.expr, scope);
          users = this.#value(branch.result, scope) || users;
        }
        return users;
      }
      case "CoalesceExpr":
      case "MinMaxExpr":
      case "RowExpr":
      case "A_ArrayExpr":
        return (content.args ?? content.elements ?? [])
          .map((argument: Node) => this.#value(argument, scope)).includes(true);
      case "SubLink": {
        const compared = content.testexpr && this.#value(content.testexpr, scope);
        const columns = this.#dispatch(...open(content.subselect), scope);
        const users = columns.rest || [...columns.known.values()].includes(true);
        if (content.testexpr && (compared || users)) this.#report("a comparison with a user's value", node);
        return users && content.subLinkType !== "EXISTS_SUBLINK";
      }
      case "CollateClause":
        return this.#value(content.arg, scope);
      case "NamedArgExpr":
        return this.#value(content.arg, scope);
      default:
        this.#below(node, scope);
        return false;
    }
  }

  #column(fields: string[], scope: Scope): boolean {
    const last = fields.at(-1)!;
    if (SYSTEM_COLUMNS.includes(last)) return false;
    if (fields.length === 1) {
      if (isStandIn(last)) return true;
      if (last === "*") return hasUsers(scope);
      if (this.#around.usersVariables.has(last)) return true;
      for (let at: Scope | null = scope; at !== null; at = at.outer) {
        const whole = at.relations.get(last);
        if (whole) return isUsers(whole);
        const found = [...at.relations.values()].filter(({ known }) => known.has(last));
        if (found.length > 0) return found.some(({ known }) => known.get(last));
        if ([...at.relations.values()].some(({ rest }) => rest)) return true;
      }
      return this.#around.fragment && !this.#around.names.relations.has(last) && last.length === 1;
    }
    const qualifier = fields.at(-2)!;
    for (let at: Scope | null = scope; at !== null; at = at.outer) {
      const columns = at.relations.get(qualifier);
      if (columns) return last === "*" ? isUsers(columns) : columns.known.get(last) ?? columns.rest;
    }
    return isStandIn(qualifier) || isStandIn(last) || this.#around.usersVariables.has(fields[0]!);
  }

  #cast(cast: Node, scope: Scope): boolean {
    // A row without a type's name has no casts that somebody could make.
    const users = this.#value(cast.arg, scope) && !cast.arg.RowExpr &&
      !(isBare(cast.arg) && allRelations(scope).length > 0 && !allRelations(scope).some(isUsers));
    if (users) this.#report("a cast of a user's value", { TypeCast: cast });
    const target = parts(cast.typeName.names);
    this.#type(cast.typeName);
    const trusted = target.length === 1
      ? !isUnknown(target[0]!)
      : TRUSTED.includes(target[0]!) && !isUnknown(target[1]!);
    // A literal goes to the type's input function; only a typed value meets a cast.
    const [kind, content] = open(cast.arg);
    if (!trusted && !(kind === "A_Const" && (content.sval || content.isnull))) {
      this.#report("a cast to a user's type", { TypeCast: cast });
    }
    return !trusted;
  }

  #call(call: Node, scope: Scope): boolean {
    const name = parts(call.funcname);
    this.#function(name, { FuncCall: call });
    const users = (call.args ?? []).map((argument: Node) => this.#operand(argument, scope)).includes(true);
    for (const { SortBy: order } of call.agg_order ?? []) this.#value(order.node, scope);
    this.#condition(call.agg_filter, scope);
    this.#below(call.over, scope);
    const passes = ANY_TYPE[name.at(-1)!];
    if (users && passes === undefined) {
      this.#report(`function ${name.join(".")} on a user's value`, { FuncCall: call });
    }
    return users && passes !== false;
  }

  #function(name: string[], node: Node): void {
    if (name.length > 1 ? !TRUSTED.includes(name[0]!) : !this.#around.names.functions.has(name[0]!)) {
      this.#report(`function ${name.join(".")} is none of the catalog's or ours`, node);
    }
  }

  #type(type: Node): void {
    const name = parts(type.names);
    if (name.length === 1 && !isUnknown(name[0]!) && !this.#around.names.types.has(name[0]!)) {
      this.#report(`the type "${name[0]}" has no schema`, { TypeName: type });
    }
  }

  /** Everything below a node that is not an expression itself. */
  #below(node: Node, scope: Scope): void {
    if (Array.isArray(node)) {
      for (const item of node) this.#below(item, scope);
    } else if (node !== null && typeof node === "object") {
      for (const [key, value] of Object.entries<Node>(node)) {
        if (value === null || typeof value !== "object") continue;
        if (key === "SelectStmt" || key === "InsertStmt" || key === "UpdateStmt" || key === "DeleteStmt") {
          this.#dispatch(key, value, scope);
        } else if (key === "typeName" || key === "TypeName") this.#type(value);
        else if (EXPRESSIONS.includes(key)) this.#value({ [key]: value }, scope);
        else this.#below(value, scope);
      }
    }
  }

  /** Only the names of types below a node. */
  #names(node: Node): void {
    walk(node, (kind, content) => {
      if (kind === "TypeName") this.#type(content);
      else if (content.argType) this.#type(content.argType);
    });
  }

  #report(fault: string, node: Node): void {
    this.#around.report(fault, node);
  }
}

const EXPRESSIONS = [
  "A_Expr",
  "FuncCall",
  "TypeCast",
  "ColumnRef",
  "SubLink",
  "BoolExpr",
  "CaseExpr",
  "CoalesceExpr",
];

/** Returns whether a parameter or variable of this type may hold a value of a user's type. */
export function holdsUsersValue(type: string): boolean {
  return POLYMORPHIC_PARAMETER.includes(type.replace(/^pg_catalog\./, ""));
}

/** Returns whether an expression is nothing but a part that is put in. */
function isBare(node: Node): boolean {
  const [kind, content] = open(node);
  return kind === "ColumnRef" && content.fields.length === 1 && isStandIn(parts(content.fields)[0]!);
}

function isNull(node: Node): boolean {
  return node?.A_Const?.isnull === true;
}

function allRelations(scope: Scope | null): Columns[] {
  return scope === null ? [] : [...scope.relations.values(), ...allRelations(scope.outer)];
}

function newScope(outer: Scope | null): Scope {
  return { relations: new Map(), ctes: new Map(), outer };
}

function add(scope: Scope, alias: Node, columns: Columns): void {
  if (alias?.aliasname) scope.relations.set(alias.aliasname, columns);
}

function findCte(scope: Scope | null, name: string): Columns | undefined {
  for (let at = scope; at !== null; at = at.outer) {
    const columns = at.ctes.get(name);
    if (columns) return columns;
  }
  return undefined;
}

/** Columns under other names: which is which is not followed. */
function renamed(columns: Columns, names: Node[] | undefined): Columns {
  return names ? { rest: isUsers(columns), known: new Map() } : columns;
}

function isUsers({ rest, known }: Columns): boolean {
  return rest || [...known.values()].includes(true);
}

function hasUsers(scope: Scope): boolean {
  return [...scope.relations.values()].some(isUsers);
}

function many(node: Node): Node[] {
  if (!node) return [];
  if (Array.isArray(node)) return node;
  return node.List ? node.List.items : [node];
}

/** The name that an expression has as a column. */
function lastField(node: Node): string {
  const [kind, content] = open(node);
  if (kind === "ColumnRef") return parts(content.fields).at(-1)!;
  if (kind === "FuncCall") return parts(content.funcname).at(-1)!;
  if (kind === "A_Indirection") return parts([content.indirection.at(-1)]).at(-1)!;
  return "";
}
