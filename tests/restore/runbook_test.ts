/** Commands that documents tell people to type are there, and take these options. */
import assert from "node:assert/strict";
import { readOptions } from "../../cli/restore/options.ts";

const read = (path: string) => Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
const { scripts } = JSON.parse(await read("package.json"));

for (const path of ["docs/operations.md", "README.md"]) {
  Deno.test(`${path} names commands and options that there are`, async () => {
    const text = await read(path);
    const commands = [...text.matchAll(/npm run (?:--silent )?([a-z:-]+)(?: -- ([^`\n)#]+))?/g)];
    assert.ok(commands.length > 10, "it names commands");
    for (const [typed, name, given = ""] of commands) {
      const [, source] = /run -A (\S+\.ts)/.exec(scripts[name!] ?? "") ?? [];
      assert.ok(source, typed);
      const code = await read(source);
      for (const [, flag] of given.matchAll(/--([a-z-]+)/g)) {
        const known = code.includes(`"${flag}"`) || new RegExp(`\\b${flag}: \\{`).test(code);
        if (name !== "restore") assert.ok(known, `${typed}: --${flag}`);
      }
      // Its options contradict each other in places, too.
      if (name === "restore") readOptions(given.trim().split(/\s+/).filter((word) => /^[\w-]/.test(word)));
    }
  });
}
