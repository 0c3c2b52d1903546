/** Rows whose primary key is one of some: compared as COPY writes it. */
import { joinPieces } from "../archive/pieces.ts";
import { BackupError } from "../errors.ts";
import type { Entry } from "../entry.ts";
import { columnsOf } from "../restore/sql_names.ts";
import { unescaped } from "../restore_plan/copy_text.ts";
import type { PlainTable } from "./plain_table.ts";

const NEWLINE = 10;
const TAB = 9;

export class KeyFilter {
  readonly #table: PlainTable;
  /** As given, by what rows have. */
  readonly #wanted: ReadonlyMap<string, string>;
  readonly #found: string[];

  /**
   * `keys` are values of the key, of several columns as a JSON array of texts; those that are found are added to
   * `found`. Throws BackupError `bad_request` for a table without a key, and keys of another form.
   */
  constructor(table: PlainTable, keys: readonly string[], found: string[]) {
    if (table.key.length === 0) {
      throw new BackupError(
        "bad_request",
        `${table.schema}.${table.name} has no primary key in the backup`,
        "Restore the whole table with backup.restore_table() and look for the rows in the copy.",
      );
    }
    const wrong = table.key.length === 1
      ? undefined
      : keys.find((key) => partsOf(key)?.length !== table.key.length);
    if (wrong !== undefined) {
      throw new BackupError(
        "bad_request",
        `"${wrong}" is not a key of ${table.schema}.${table.name}`,
        `Its key is (${table.key.join(", ")}): give a JSON array of texts, such as '["1", "2"]'.`,
      );
    }
    this.#table = table;
    this.#wanted = new Map(
      keys.map((key) => [table.key.length === 1 ? key : JSON.stringify(partsOf(key)), key]),
    );
    this.#found = found;
  }

  /** Returns what keeps the wanted lines of an entry's text. */
  forEntry(entry: Entry): (text: Uint8Array) => Uint8Array {
    const columns = columnsOf(entry.copy!);
    const places = this.#table.key.map((column) => columns.indexOf(column));
    const decoder = new TextDecoder();
    return (text) => {
      const kept: Uint8Array[] = [];
      for (
        let begin = 0, end = text.indexOf(NEWLINE);
        end >= 0;
        begin = end + 1, end = text.indexOf(NEWLINE, begin)
      ) {
        const line = text.subarray(begin, end + 1);
        const values = places.map((place) => unescaped(decoder.decode(field(line, place))));
        const key = values.length === 1 ? values[0]! : JSON.stringify(values);
        const given = this.#wanted.get(key);
        if (given === undefined) continue;
        kept.push(line);
        this.#found.push(given);
      }
      return joinPieces(kept);
    };
  }
}

function partsOf(key: string): string[] | null {
  try {
    const parts: unknown = JSON.parse(key);
    return Array.isArray(parts) ? parts.map(String) : null;
  } catch {
    return null;
  }
}

function field(line: Uint8Array, place: number): Uint8Array {
  let begin = 0;
  for (let left = place; left > 0; left--) begin = line.indexOf(TAB, begin) + 1;
  const end = line.indexOf(TAB, begin);
  return line.subarray(begin, end < 0 ? line.length - 1 : end);
}
