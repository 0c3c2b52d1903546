/**
 * The only place that writes to standard output and standard error. Results go to standard output, everything that is
 * said to a person goes to standard error. Every text is one line or a list of lines, and shows control characters as
 * escapes, since names of tables, roles and files come from other people.
 */
import { visible, visibleJson, visibleSql } from "../../supabase/functions/backup/visible_text.ts";
import { colors, rendered } from "./style.ts";

type Stream = typeof Deno.stdout | typeof Deno.stderr;

const encoder = new TextEncoder();

/** Widest line of prose on a wide terminal. */
const WIDEST_PROSE = 100;

/** Drawn at the end of standard error until it ends; other lines go above it. */
let status: (() => string) | null = null;

/** Prints lines of a result. */
export function printResult(...lines: string[]): void {
  print(Deno.stdout, lines);
}

/** Prints one JSON object as the whole result. */
export function printJson(value: unknown): void {
  print(Deno.stdout, visibleJson(value).split("\n"));
}

/** Prints lines for a person. */
export function say(...lines: string[]): void {
  print(Deno.stderr, lines);
}

export function note(text: string): void {
  say(...labelled(colors.yellow("note:"), text));
}

export function warn(text: string): void {
  say(...labelled(colors.yellow("warning:"), text));
}

/** Returns the lines of a text that may have several, of which only the first stands at the margin. */
export function labelled(label: string, text: string): string[] {
  const [first, ...more] = text.split("\n");
  return [`${label} ${first}`, ...more.map((line) => `  | ${line}`)];
}

/** Returns the lines of a statement that a person may paste. */
export function sqlLines(sql: string): string[] {
  return `${visibleSql(sql.trimEnd())};`.split("\n").map((line) => `  ${line}`);
}

/** Returns how wide lines of results may be: no limit where they go to a file or a pipe. */
export function resultWidth(): number {
  return widthOfStream(Deno.stdout) ?? Infinity;
}

/** Returns how wide prose is on standard error. */
export function proseWidth(): number {
  return Math.min(widthOfStream(Deno.stderr) ?? WIDEST_PROSE, WIDEST_PROSE);
}

function widthOfStream(stream: Stream): number | null {
  if (!stream.isTerminal()) return null;
  try {
    const { columns } = Deno.consoleSize();
    return columns > 0 ? columns : 80;
  } catch {
    return 80;
  }
}

export function canDrawStatus(): boolean {
  return Deno.stderr.isTerminal();
}

/** Draws a line at the end of standard error, in place of the one before; null takes it away. */
export function drawStatus(line: (() => string) | null, keepLast = false): void {
  eraseStatus();
  if (line === null && keepLast && status !== null) print(Deno.stderr, [status()], false);
  status = line;
  redrawStatus();
}

function eraseStatus(): void {
  if (status !== null) write(Deno.stderr, "\r\x1b[K");
}

function redrawStatus(): void {
  if (status !== null) write(Deno.stderr, rendered(status(), hasColors(Deno.stderr)));
}

/** Returns whether a person can answer a question. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal();
}

/** Writes a question behind which the answer is typed. */
export function writeQuestion(question: string): void {
  say(...question.split("\n").slice(0, -1));
  write(Deno.stderr, `${visible(question.split("\n").at(-1)!)} `);
}

/** Returns standard output for bytes that are not text, such as an archive. */
export function binaryOutput(): { isTerminal(): boolean; write(bytes: Uint8Array): Promise<number> } {
  return Deno.stdout;
}

function hasColors(stream: Stream): boolean {
  return stream.isTerminal() && !Deno.env.get("NO_COLOR") && Deno.env.get("TERM") !== "dumb";
}

function print(stream: Stream, lines: readonly string[], withStatus = true): void {
  if (lines.length === 0) return;
  if (withStatus) eraseStatus();
  write(stream, lines.map((line) => `${rendered(line, hasColors(stream))}\n`).join(""));
  if (withStatus) redrawStatus();
}

function write(stream: Stream, text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let sent = 0; sent < bytes.length;) sent += stream.writeSync(bytes.subarray(sent));
  } catch (error) {
    // A reader such as head has seen enough.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
