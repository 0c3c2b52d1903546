/** Event triggers of the target that forbid what a restore does: off while it lasts, where the role may. */
import type { Attempt, Connection } from "./connection.ts";
import { quoted } from "./names.ts";
import type { ServerError } from "./server_error.ts";

interface EventTrigger {
  name: string;
  enabled: "O" | "R" | "A";
  function: string;
}

const ENABLE = { O: "enable", R: "enable replica", A: "enable always" };

const TRIGGERS = `
  select t.evtname as name, t.evtenabled as enabled, p.proname as function
  from pg_catalog.pg_event_trigger t join pg_catalog.pg_proc p on p.oid = t.evtfoid
  where t.evtenabled <> 'D' order by t.evtname`;

export class EventTriggers {
  readonly #connection: Connection;
  readonly #off = new Map<string, EventTrigger>();
  readonly #refused = new Set<string>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Names of those that are off. */
  get names(): string[] {
    return [...this.#off.keys()];
  }

  /** Switches off the one whose function raised the error. Returns whether trying again makes sense. */
  async silence({ where }: ServerError): Promise<boolean> {
    if (!where) return false;
    const found = await this.#connection.attemptQuery<EventTrigger>(TRIGGERS);
    if ("error" in found) return false;
    // The innermost call comes first; any of them may be the trigger's.
    const trigger = found.result.find(({ name, function: called }) =>
      !this.#refused.has(name) && !this.#off.has(name) && calls(where, called)
    );
    if (trigger === undefined) return false;
    const off = await this.#connection.attempt(`alter event trigger ${quoted(trigger.name)} disable`);
    if ("error" in off) {
      this.#refused.add(trigger.name);
      return false;
    }
    this.#off.set(trigger.name, trigger);
    return true;
  }

  /** Runs statements, without the event triggers that forbid them. Returns the server's error. */
  async attempt(sql: string): Promise<Attempt<null>> {
    const first = await this.#connection.attempt(sql);
    if ("result" in first || !(await this.silence(first.error))) return first;
    return await this.attempt(sql);
  }

  /** Switches them on again. Throws the server's error. */
  async restore(): Promise<void> {
    for (const { name, enabled } of this.#off.values()) {
      const on = await this.#connection.attempt(`alter event trigger ${quoted(name)} ${ENABLE[enabled]}`);
      if ("error" in on) throw on.error;
    }
  }
}

/** The words around the signature are in the server's language. */
function calls(where: string, name: string): boolean {
  const literally = name.replaceAll('"', '""').replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return new RegExp(`(?:^|[^\\w$])${literally}"?\\(`).test(where);
}
