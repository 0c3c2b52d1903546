/** One connection at work on entries, one or several at a time. */
import type { OpenArchive } from "../archive/reader.ts";
import type { Entry } from "../entry.ts";
import { type Attempt, type Connection, SEARCH_PATH } from "./connection.ts";
import { copyRows } from "./copy_rows.ts";
import { writeLargeObjects } from "./large_objects.ts";
import { contentOf } from "./passes.ts";
import { pathFor } from "./search_path.ts";
import { type Defaults, definitionOf } from "./statements.ts";

export interface WorkerOptions {
  owners: boolean;
  disableTriggers: boolean;
  /** Of the archive's rows. */
  encoding: string;
}

export class Worker {
  readonly connection: Connection;
  readonly #archive: OpenArchive;
  readonly #options: WorkerOptions;
  /** As the last entry that succeeded has left them. */
  #defaults: Defaults = { tablespace: null, tableam: null };

  constructor(connection: Connection, archive: OpenArchive, options: WorkerOptions) {
    this.connection = connection;
    this.#archive = archive;
    this.#options = options;
  }

  /** Restores one entry, under another search_path where one is given. Returns its rows, or the server's error. */
  async run(entry: Entry, path?: string): Promise<Attempt<number>> {
    const content = contentOf(entry);
    if (content === "large objects") return await writeLargeObjects(this.connection, this.#archive, entry);
    if (content === "rows") {
      return await copyRows(this.connection, this.#archive, entry, {
        ...this.#options,
        ...(path === undefined ? {} : { path: pathFor(path, entry) }),
      });
    }
    const attempt = await this.define([entry], path === undefined ? path : pathFor(path, entry));
    return "error" in attempt ? attempt : { result: 0 };
  }

  /** Creates what the entries define, all or none. */
  async define(entries: readonly Entry[], path?: string): Promise<Attempt<null>> {
    let defaults = this.#defaults;
    const parts: string[] = [];
    for (const entry of entries) {
      const part = definitionOf(entry, defaults, this.#options);
      parts.push(part.sql);
      defaults = part.defaults;
    }
    const attempt = await this.connection.attempt(under(path, parts.join("\n")));
    if ("result" in attempt) this.#defaults = defaults;
    return attempt;
  }
}

/** Returns the statements between a change of search_path and the way back; a failure takes the change back as well. */
export function under(path: string | undefined, sql: string): string {
  return path === undefined ? sql : `set search_path = ${path};\n${sql}\n;set search_path = ${SEARCH_PATH}`;
}
