/** Asks a person at a terminal. Elsewhere the hint names the option that answers. */
import { CommandError } from "./errors.ts";
import { canAsk, say, writeQuestion } from "./output.ts";

const ENTER = new Set([10, 13, 4]);
const NEWLINE = 10;
const CTRL_C = 3;
const BACKSPACE = new Set([8, 127]);

/** Throws CommandError with the hint `instead` where there is no terminal, or no answer. */
export async function ask(question: string, instead: string): Promise<string> {
  expectTerminal(question, instead);
  writeQuestion(question);
  // Byte by byte: what comes after the line answers the next question.
  const answer = (await typedUntil(new Set([NEWLINE]))).trim();
  if (answer === "") throw new CommandError("No answer was given", instead);
  return answer;
}

/** Asks for something that is not shown while it is typed. */
export async function askSecret(question: string, instead: string): Promise<string> {
  expectTerminal(question, instead);
  // Before it asks: what somebody types at once would be shown otherwise.
  Deno.stdin.setRaw(true);
  try {
    writeQuestion(question);
    return await typedUntil(ENTER);
  } finally {
    Deno.stdin.setRaw(false);
    say("");
  }
}

/** Throws CommandError unless the database's name is typed, or was given with --confirm. */
export async function confirmByName(what: string, name: string, given: string | undefined): Promise<void> {
  await confirmByTyping(`${what}\nType the database's name, ${name}, to go on:`, name, given);
}

/** Throws CommandError unless the answer is `wanted`, typed or given with --confirm. */
export async function confirmByTyping(
  question: string,
  wanted: string,
  given: string | undefined,
): Promise<void> {
  const shown = wanted.includes(" ") ? `"${wanted}"` : wanted;
  const typed = given ?? await ask(question, `Add --confirm ${shown} to confirm it without being asked.`);
  if (typed === wanted) return;
  throw new CommandError(`"${typed}" is not "${wanted}"`, "Nothing was changed.");
}

function expectTerminal(question: string, instead: string): void {
  if (canAsk()) return;
  throw new CommandError(
    `Cannot ask "${question.split("\n").at(-1)}": standard input is not a terminal`,
    instead,
  );
}

async function typedUntil(end: ReadonlySet<number>): Promise<string> {
  const typed: number[] = [];
  const byte = new Uint8Array(1);
  while (await Deno.stdin.read(byte) !== null && !end.has(byte[0]!)) {
    if (byte[0] === CTRL_C) throw new CommandError("Interrupted", "Nothing was changed.");
    if (BACKSPACE.has(byte[0]!)) typed.pop();
    else typed.push(byte[0]!);
  }
  return new TextDecoder().decode(new Uint8Array(typed));
}
