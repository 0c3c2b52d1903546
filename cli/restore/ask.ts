/** Questions to a person at a terminal. Elsewhere nobody answers, and the option that does is named instead. */
import { CommandError } from "../terminal.ts";

/** Throws CommandError with `instead` where there is no terminal, or no answer. */
export function ask(question: string, instead: string): string {
  if (!Deno.stdin.isTerminal()) throw new CommandError(`${question} Nobody can be asked here`, instead);
  const answer = prompt(question)?.trim() ?? "";
  if (answer === "") throw new CommandError("There was no answer", instead);
  return answer;
}

const ENTER = new Set([10, 13, 4]);
const CTRL_C = 3;
const BACKSPACE = new Set([8, 127]);

/** An answer that is not shown. */
export async function askSecret(question: string, instead: string): Promise<string> {
  if (!Deno.stdin.isTerminal()) throw new CommandError(`${question} Nobody can be asked here`, instead);
  // Before it asks: what somebody types at once would be shown otherwise.
  Deno.stdin.setRaw(true);
  const typed: number[] = [];
  const byte = new Uint8Array(1);
  try {
    await Deno.stderr.write(new TextEncoder().encode(`${question} `));
    while (await Deno.stdin.read(byte) !== null && !ENTER.has(byte[0]!)) {
      if (byte[0] === CTRL_C) throw new CommandError("Interrupted", "Nothing was changed.");
      if (BACKSPACE.has(byte[0]!)) typed.pop();
      else typed.push(byte[0]!);
    }
  } finally {
    Deno.stdin.setRaw(false);
    console.error();
  }
  return new TextDecoder().decode(new Uint8Array(typed));
}

/** Throws CommandError unless the name is typed, or was given with --confirm. */
export function confirmByName(what: string, name: string, given: string | undefined): void {
  const typed = given ??
    ask(`${what}\nType the database's name, ${name}, to go on:`, `Give it as an option: --confirm ${name}`);
  if (typed === name) return;
  throw new CommandError(`"${typed}" is not "${name}"`, "Nothing was changed.");
}
