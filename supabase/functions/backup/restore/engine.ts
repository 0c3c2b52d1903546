/** Entries one after another on one connection, and what is done when the server refuses one. */
import type { Entry } from "../entry.ts";
import { type Account, type Change, type LeftOut } from "./account.ts";
import type { EventTriggers } from "./event_triggers.ts";
import { lesserForms } from "./lesser_forms.ts";
import { labelOf } from "./names.ts";
import { contentOf } from "./passes.ts";
import { isLastingly } from "./rows_aside.ts";
import { isCollision, isFatal, isTimeout, isUnresolved, type ServerError, words } from "./server_error.ts";
import { stoppedAt } from "./stopped.ts";
import type { Worker } from "./worker.ts";

/** Definitions that are sent together. They are taken apart only where the server refuses one. */
const BATCH_ENTRIES = 64;

/** They take their time: one that is refused must not have the others done twice. */
const ALONE = new Set(["CONSTRAINT", "CHECK CONSTRAINT", "EXTENSION", "FK CONSTRAINT", "INDEX", "SQL"]);

/** Of a row that is in the target already: a table that is created here has no unique index yet. */
const UNIQUE_VIOLATION = "23505";

/** A table may come back without the function of a check, a policy as one that keeps everybody out. */
const HAVE_CHECKS = new Set(["DOMAIN", "POLICY", "TABLE"]);

/** An entry that the server refused, or whose dependency it refused. */
export interface Waiting {
  entry: Entry;
  /** Null where it was not tried. */
  error: ServerError | null;
}

/** What took the place of an entry, or why it stays out. */
export type Substituted =
  | { changed?: Omit<Change, "entry">; rows?: number }
  | { leftOut: Omit<LeftOut, "entry"> };

/** Returns null where nothing is known that may take the entry's place. */
export type Substitute = (entry: Entry, error: ServerError) => Promise<Substituted | null>;

export interface EngineOptions {
  /** Nothing may come back otherwise than it was, nor stay out. */
  strict: boolean;
  /** Nothing has been committed yet. */
  oneTransaction: boolean;
  /** Statements have a timeout of ours: one that ran into it is refused, not cancelled by a person. */
  timed: boolean;
  /** The backed-up database's search_path. */
  path: string;
  onEntry: (entry: string) => void;
}

export class Engine {
  readonly waiting = new Map<number, Waiting>();
  readonly #worker: Worker;
  readonly #account: Account;
  readonly #triggers: EventTriggers;
  readonly #substitute: Substitute;
  readonly #options: EngineOptions;
  /** What is known of entries that stay out: how to find the reason, and how to mend it. */
  readonly #remedies = new Map<number, Omit<LeftOut, "entry">>();

  constructor(
    worker: Worker,
    account: Account,
    triggers: EventTriggers,
    substitute: Substitute,
    options: EngineOptions,
  ) {
    this.#worker = worker;
    this.#account = account;
    this.#triggers = triggers;
    this.#substitute = substitute;
    this.#options = options;
  }

  /** Restores the entries in order; those that must wait are in `waiting` then. Throws BackupError `restore_failed`. */
  async run(entries: readonly Entry[]): Promise<void> {
    let batch: Entry[] = [];
    for (const entry of entries) {
      const alone = contentOf(entry) !== null || ALONE.has(entry.desc);
      if (alone || batch.length === BATCH_ENTRIES) {
        await this.#define(batch);
        batch = [];
      }
      if (alone) await this.#one(entry);
      else batch.push(entry);
    }
    await this.#define(batch);
  }

  /**
   * Tries what waits again, until nothing changes; then what may take its place. Throws BackupError `restore_failed`.
   */
  async settle(): Promise<void> {
    for (let progress = this.waiting.size > 0; progress;) {
      progress = false;
      for (const { entry, error } of [...this.waiting.values()]) {
        if (this.#blocker(entry) !== undefined) continue;
        // Rows of which one is bad are not sent once more as a whole, and what took too long takes too long again.
        if (error !== null && (isTimeout(error) || (contentOf(entry) !== null && isLastingly(error)))) {
          continue;
        }
        this.waiting.delete(entry.dumpId);
        await this.#one(entry);
        progress ||= !this.waiting.has(entry.dumpId);
      }
      if (progress) continue;
      if (this.#options.strict && this.waiting.size > 0) throw this.#stopped();
      for (const { entry, error } of [...this.waiting.values()]) {
        const blocker = this.#blocker(entry);
        const missing = blocker !== undefined && HAVE_CHECKS.has(entry.desc)
          ? this.waiting.get(blocker.dumpId)!.error
          : null;
        const why = blocker === undefined ? error : missing;
        if (why !== null) progress = await this.#replace(entry, why) || progress;
      }
    }
  }

  /** Makes the error of what the server refused first. */
  #stopped(): Error {
    const { entry, error } = [...this.waiting.values()].find((waiting) => waiting.error !== null) ?? {};
    if (!entry || !error) return new Error("Entries of the archive wait for each other");
    return stoppedAt(entry, error, this.#options.oneTransaction);
  }

  /** Whatever waits now stays out; told in the order of all entries. */
  leaveOut(entries: readonly Entry[]): void {
    for (const { dumpId } of entries) {
      const waiting = this.waiting.get(dumpId);
      if (waiting === undefined) continue;
      const { entry, error } = waiting;
      const blocker = this.#blocker(entry);
      const because = blocker && labelOf(blocker);
      this.#account.leftOut.push({
        entry: labelOf(entry),
        why: because === undefined ? words(error!) : `${because} is missing`,
        ...(because === undefined ? {} : { because }),
        // A statement of the plan's own is of no use afterwards.
        ...(because === undefined && entry.definition && entry.desc !== "SQL"
          ? { mend: [entry.definition.trim()] }
          : {}),
        ...this.#remedies.get(entry.dumpId),
      });
    }
  }

  async #define(entries: readonly Entry[]): Promise<void> {
    const tried = entries.filter((entry) => !this.#waits(entry));
    if (tried.length === 0) return;
    if (tried.length === 1) return await this.#one(tried[0]!);
    for (const entry of tried) this.#options.onEntry(labelOf(entry));
    const attempt = await this.#worker.define(tried);
    if ("result" in attempt) {
      for (const entry of tried) this.#done(entry, 0);
      return;
    }
    const middle = tried.length >> 1;
    await this.#define(tried.slice(0, middle));
    await this.#define(tried.slice(middle));
  }

  /** Restores one entry on a connection of several. What it is refused waits until they have ended. */
  async runOn(entry: Entry, worker: Worker): Promise<void> {
    await this.#one(entry, worker);
  }

  async #one(entry: Entry, worker = this.#worker): Promise<void> {
    if (this.#waits(entry)) return;
    this.#options.onEntry(labelOf(entry));
    const attempt = await worker.run(entry);
    if ("result" in attempt) this.#done(entry, attempt.result);
    else await this.#refused(entry, attempt.error, worker);
  }

  /** Under the database's own search_path, without the event trigger that forbids it, or later. */
  async #refused(entry: Entry, first: ServerError, worker: Worker): Promise<void> {
    const { strict, oneTransaction, path, timed } = this.#options;
    const inTheWay = isCollision(first) || (contentOf(entry) !== null && first.code === UNIQUE_VIOLATION);
    const alone = worker.connection.inTransaction;
    // On several connections one may lock another out; afterwards nobody does.
    const stops = (error: ServerError) =>
      isFatal(error) && (alone || !error.code.startsWith("40")) && !(timed && isTimeout(error));
    if (stops(first) || inTheWay) throw stoppedAt(entry, first, oneTransaction);
    let error = first;
    const again = async (form: Entry, under?: string) => {
      const attempt = await worker.run(form, under);
      if ("result" in attempt) return attempt;
      ({ error } = attempt);
      if (stops(error)) throw stoppedAt(entry, error, oneTransaction);
      return null;
    };
    if (isUnresolved(first)) {
      const found = await again(entry, path);
      if (found !== null) {
        this.#account.notes.push(`${labelOf(entry)}: restored under the database's own search_path`);
        return this.#done(entry, found.result);
      }
    }
    if (alone && await this.#triggers.silence(first)) {
      const found = await again(entry);
      if (found !== null) return this.#done(entry, found.result);
    }
    if (!strict && contentOf(entry) === null) {
      for (const { entry: form, how, mend } of lesserForms(entry)) {
        if (await again(form) === null && await again(form, path) === null) continue;
        this.#account.changed.push({ entry: labelOf(entry), how, why: words(first), mend });
        return;
      }
    }
    this.waiting.set(entry.dumpId, { entry, error });
  }

  async #replace(entry: Entry, error: ServerError): Promise<boolean> {
    const replaced = await this.#substitute(entry, error);
    if (replaced === null) return false;
    if ("leftOut" in replaced) {
      this.#remedies.set(entry.dumpId, replaced.leftOut);
      return false;
    }
    this.waiting.delete(entry.dumpId);
    if (replaced.changed) {
      this.#account.changed.push({ entry: labelOf(entry), ...replaced.changed });
      this.#account.rows += replaced.rows ?? 0;
    } else this.#done(entry, replaced.rows ?? 0);
    return true;
  }

  #done(entry: Entry, rows: number): void {
    this.#account.asInBackup++;
    if (entry.desc !== "BLOBS") this.#account.rows += rows;
  }

  /** Returns whether something that the entry needs waits; then it waits as well. */
  #waits(entry: Entry): boolean {
    if (this.#blocker(entry) === undefined) return false;
    this.waiting.set(entry.dumpId, { entry, error: null });
    return true;
  }

  #blocker({ dumpId, dependencies }: Entry): Entry | undefined {
    const id = dependencies.find((id) => id !== dumpId && this.waiting.has(id));
    return id === undefined ? undefined : this.waiting.get(id)!.entry;
  }
}
