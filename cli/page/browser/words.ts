/** Values in words. */
import { visible } from "../../../supabase/functions/backup/visible_text.ts";
import { count } from "../../terminal/format.ts";

const MINUTE = 60_000;
const UNITS: [name: string, milliseconds: number][] = [
  ["year", 365 * 24 * 60 * MINUTE],
  ["month", 30 * 24 * 60 * MINUTE],
  ["day", 24 * 60 * MINUTE],
  ["hour", 60 * MINUTE],
  ["minute", MINUTE],
];

/** Returns how far an instant is: `3 days ago`, `in 2 hours`. */
export function distance(instant: string | number | Date, now = Date.now()): string {
  const away = new Date(instant).getTime() - now;
  const [name, unit] = UNITS.find(([, unit]) => Math.abs(away) >= unit) ?? ["minute", MINUTE];
  const number = Math.floor(Math.abs(away) / unit);
  if (number === 0) return "now";
  const words = `${number} ${name}${number === 1 ? "" : "s"}`;
  return away < 0 ? `${words} ago` : `in ${words}`;
}

/** Returns the word in lower case that people use for an object type of pg_dump's. */
export function typeName(type: string): string {
  return type === "FK CONSTRAINT" ? "foreign key" : type.toLowerCase();
}

export function number(value: number | null | undefined): string {
  return value == null ? "" : count(value);
}

/** Returns a word for a shell: whatever it holds is one argument, on one line. */
export function shellWord(word: string): string {
  if (/^[\w.\/:@,+-]+$/.test(word)) return word;
  if (visible(word) === word) return `'${word.replaceAll("'", `'\\''`)}'`;
  const escaped = [...word].map((letter) =>
    visible(letter) === letter
      ? letter.replace(/['\\]/, "\\$&")
      : `\\U${letter.codePointAt(0)!.toString(16).padStart(8, "0")}`
  );
  return `$'${escaped.join("")}'`;
}
