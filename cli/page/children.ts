/** Commands that the page runs beside itself: what they say line by line, and their result. */
import { fileURLToPath } from "node:url";

/** What a command tells while it runs, and at its end. */
export type ChildMessage =
  | { said: string }
  | { result: unknown; code: number };

// The package has JavaScript in its place.
const MAIN = fileURLToPath(
  import.meta.resolve(import.meta.url.endsWith(".ts") ? "../main.ts" : "../main.js"),
);

/** Runs a command with --json. It has no terminal, so it asks nothing; leaving the iteration ends it. */
export async function* runCommand(
  args: readonly string[],
  env: Record<string, string>,
): AsyncGenerator<ChildMessage> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, ...args, "--json"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { ...env, NO_COLOR: "1" },
  }).spawn();
  let isOver = false;
  try {
    const output = new Response(child.stdout).text();
    let rest = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const said of lines) yield { said };
    }
    if (rest !== "") yield { said: rest };
    const { code } = await child.status;
    isOver = true;
    const printed = await output;
    yield { result: printed.trim() === "" ? null : JSON.parse(printed), code };
  } finally {
    if (!isOver) child.kill("SIGTERM");
  }
}
