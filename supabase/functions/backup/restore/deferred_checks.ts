/**
 * CHECK constraints and defaults that a table does not come back with: taken off, and added again when all rows are
 * there.
 */
import { literal } from "../catalog/catalog.ts";
import type { Entry } from "../entry.ts";
import type { Account } from "./account.ts";
import type { Connection } from "./connection.ts";
import { withoutChecks } from "./check_clauses.ts";
import { withoutColumnClauses } from "./column_clauses.ts";
import type { Substituted } from "./engine.ts";
import { qualified } from "./names.ts";
import { offenders } from "./not_valid.ts";
import { pathFor } from "./search_path.ts";
import { isTimeout, type ServerError, words } from "./server_error.ts";
import { under, type Worker } from "./worker.ts";

/** Quotes that a name does not need. */
const PLAIN = /"([a-z_][a-z0-9_]*)"/g;

interface Clause {
  /** The table's or domain's name in SQL. */
  object: string;
  /** Of the entry that is restored without it. */
  namespace: string | null;
  /** `CHECK (…)`, or a default. */
  text: string;
  why: string;
}

interface Check extends Clause {
  kind: "table" | "domain";
  name: string;
}

export class DeferredChecks {
  readonly #worker: Worker;
  readonly #path: string;
  readonly #deferred: Check[] = [];
  readonly #defaults: (Clause & { column: string })[] = [];

  constructor(worker: Worker, path: string) {
    this.#worker = worker;
    this.#path = path;
  }

  get #connection(): Connection {
    return this.#worker.connection;
  }

  /**
   * Creates a table or a domain without its CHECK constraints; a table also without defaults, and at last with ordinary
   * columns in place of generated ones: it has the rows then.
   */
  async createWithout(entry: Entry, error: ServerError): Promise<Substituted | null> {
    const { definition, checks } = withoutChecks(entry.definition ?? "");
    const none = { definition, defaults: [], generated: [] };
    const columns = [false, true].map((generated) => withoutColumnClauses(definition, generated));
    const forms = [none, ...entry.desc === "TABLE" ? columns : []]
      .filter((form, index, all) => form.definition !== (all[index - 1]?.definition ?? entry.definition));
    for (const { definition, defaults, generated } of forms) {
      const form = { ...entry, definition };
      const first = await this.#worker.run(form);
      if ("error" in first && "error" in await this.#worker.run(form, this.#path)) continue;
      const kind = entry.desc === "DOMAIN" ? "domain" : "table";
      const { namespace } = entry;
      const object = qualified(namespace, entry.tag);
      const why = words(error);
      this.#deferred.push(...checks.map((check) => ({ ...check, kind, object, namespace, why } as const)));
      this.#defaults.push(...defaults.map(({ column, text }) => ({ object, namespace, column, text, why })));
      if (generated.length === 0) return {};
      const names = generated.map(({ column }) => column).join(", ");
      return {
        changed: {
          how: `ordinary columns without values in place of generated ones: ${names}`,
          why,
          mend: generated.flatMap(({ column, type, text }) => [
            `alter table ${object} drop column ${column};`,
            `alter table ${object} add column ${column} ${type} ${text};`,
          ]),
        },
      };
    }
    return null;
  }

  /**
   * Takes off the constraints that may have raised the error: the one that it names, and those that call a user's
   * function. They may belong to a table above, or to a domain. Returns whether there were any.
   */
  async takeOff({ namespace, tag }: Entry, error: ServerError): Promise<boolean> {
    const named = error.constraint_name ?? "";
    const found = await this.#connection.attemptQuery<Omit<Check, "namespace" | "why">>(`
      with recursive above (rel) as (
        select ${literal(qualified(namespace, tag))}::pg_catalog.regclass::pg_catalog.oid
        union
        select i.inhparent from pg_catalog.pg_inherits i join above on i.inhrelid = above.rel
      )
      select case when c.contypid = 0 then 'table' else 'domain' end as kind, pg_catalog.quote_ident(c.conname) as name,
        case when c.contypid = 0 then c.conrelid::pg_catalog.regclass::pg_catalog.text
          else c.contypid::pg_catalog.regtype::pg_catalog.text end as object,
        pg_catalog.pg_get_constraintdef(c.oid) as text
      from pg_catalog.pg_constraint c
      where c.contype = 'c' and c.coninhcount = 0 and (
        c.conrelid in (select rel from above)
        or c.contypid in (
          select a.atttypid from pg_catalog.pg_attribute a join above on a.attrelid = above.rel where a.atttypid > 0)
      ) and (c.conname = ${literal(named)} or exists (
        select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and d.objid = c.oid
          and d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.refobjid >= 16384))`);
    if ("error" in found) return false;
    const checks = found.result;
    for (const { kind, object, name } of checks) {
      const dropped = await this.#connection.attempt(`alter ${kind} ${object} drop constraint ${name}`);
      if ("error" in dropped) return false;
    }
    this.#deferred.push(...checks.map((check) => ({ ...check, namespace, why: words(error) })));
    return checks.length > 0;
  }

  /** Adds them again: over all rows, else as `NOT VALID`; what cannot be added at all is left out. */
  async addAgain(account: Account): Promise<void> {
    for (const { object, namespace, column, text, why } of this.#defaults) {
      const set = `alter table ${object} alter column ${column} set default ${text}`;
      if (await this.#added(set, namespace)) continue;
      account.leftOut.push({
        entry: `DEFAULT ${object.replace(PLAIN, "$1")} ${column}`,
        why,
        mend: [`${set};`],
      });
    }
    for (const { kind, object, namespace, name, text, why } of this.#deferred) {
      const add = `alter ${kind} ${object} add constraint ${name} ${text}`;
      const plain = text.replace(/ NOT VALID$/, "");
      const entry = `CHECK CONSTRAINT ${object.replace(PLAIN, "$1")} ${name}`;
      if (await this.#added(add, namespace)) continue;
      if (text === plain && await this.#added(`${add} not valid`, namespace)) {
        account.changed.push({
          entry,
          how: "the constraint is NOT VALID: new rows keep it, and rows that are there may not",
          why,
          ...(kind === "table" ? await offenders(this.#connection, object, name) : {}),
          mend: [`alter ${kind} ${object} validate constraint ${name};`],
        });
      } else account.leftOut.push({ entry, why, mend: [`${add};`] });
    }
  }

  async #added(sql: string, namespace: string | null): Promise<boolean> {
    const first = await this.#connection.attempt(sql);
    if ("result" in first || isTimeout(first.error)) return "result" in first;
    return "result" in await this.#connection.attempt(under(pathFor(this.#path, { namespace }), sql));
  }
}
