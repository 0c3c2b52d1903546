/** Commands that documents tell people to type are there, and take these options. */
import assert from "node:assert/strict";
import { assemble } from "../../cli/main.ts";

const read = (path: string) => Deno.readTextFile(new URL(`../../${path}`, import.meta.url));

/**
 * Reads the options, and does nothing. Throws for unknown ones, for values that are not allowed, and for
 * contradictions.
 */
async function parse(words: string[]): Promise<void> {
  const program = await assemble(words[0]);
  const commands = program.commands.flatMap((command) =>
    command.commands.length > 0 ? command.commands : [command]
  );
  for (const command of commands) command.action(() => {});
  await program.parseAsync(words, { from: "user" });
}

for (const path of ["docs/operations.md", "README.md"]) {
  Deno.test(`${path} names commands and options that there are`, async () => {
    const text = await read(path);
    const commands = [...text.matchAll(/supabase-backup ([a-z]+)(?: ([^`\n)#;|]+))?/g)];
    assert.ok(commands.length > 10, "it names commands");
    for (const [typed, name, given = ""] of commands) {
      // What stands for a choice, as in NAME|latest, is a value; what is in brackets may be left out.
      const words = given.trim().split(/\s+/).map((word) => word.replace(/[;,.:]+$/, "")).filter((word) =>
        /^[\w-]/.test(word)
      );
      await assert.doesNotReject(parse([name!, ...words]), typed);
    }
  });
}
