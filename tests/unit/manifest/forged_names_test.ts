/**
 * RESTORE.md and restore.list of a backup whose names were made to break out of them: their commands run in a real
 * shell.
 */
import assert from "node:assert/strict";
import type { Manifest } from "../../../supabase/functions/backup/manifest/manifest.ts";
import { restoreList } from "../../../supabase/functions/backup/restore_guide/restore_list.ts";
import { restoreNotes } from "../../../supabase/functions/backup/restore_guide/restore_notes.ts";
import type { Entry } from "../../../supabase/functions/backup/entry.ts";

/** Each tries to write the witness, as a line of a shell of its own. */
const FORGED = [
  "a\nSQL\ntouch witness\n: <<'SQL'",
  'a"\nSQL\ntouch witness #',
  "a\r\nSQL\r\ntouch witness",
  "a$(touch witness)",
  "a`touch witness`",
  "a'; touch witness; '",
  "a\n\\! touch witness\n",
  'a"; \\! touch witness',
  "a\n```\n\n```sh\ntouch witness\n```\n",
  "a\u2028```sh\u2028touch witness",
  "a\x1b[2J\x1b[1;1H\u202e",
];

function manifest(): Manifest {
  return {
    name: "backup-20261122-030000",
    snapshotAt: "2026-11-22T03:00:00Z",
    parts: [],
    server: { version: "15.20", database: FORGED.join("") },
    totals: { tables: 1, rows: 1, rawBytes: 1, storedBytes: 9, parts: 0 },
    tables: FORGED.map((name) => ({ schema: name, name, rows: 1, rawBytes: 1 })),
    warnings: FORGED.map((object) => ({ code: "odd", object, message: object })),
  } as unknown as Manifest;
}

/** Everything that a person pastes: the blocks of the document, as Markdown has them. */
function blocksOf(notes: string): string {
  return [...notes.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block!).join("\n");
}

Deno.test("RESTORE.md with forged names runs none of them in a shell", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // psql's stand-in obeys what psql would: a backslash outside of quotes. The others do nothing.
    await Deno.mkdir(`${folder}/bin`);
    const psql = `#!/bin/bash\nsed 's/"[^"]*"//g' | grep -q '[\\]!' && touch witness\n`;
    for (const program of ["psql", "pg_restore", "createdb", "jq", "sha256sum", "less", "cat", "age"]) {
      const path = `${folder}/bin/${program}`;
      await Deno.writeTextFile(path, program === "psql" ? psql : "#!/bin/bash\n", { mode: 0o755 });
    }
    const notes = restoreNotes(manifest(), ["postgres", ...FORGED]);
    const blocks = blocksOf(notes);
    assert.doesNotMatch(blocks, /^```/m);
    assert.ok(/create role/.test(blocks));
    const { stderr } = await new Deno.Command("bash", {
      args: ["-c", blocks],
      cwd: folder,
      env: { PATH: `${folder}/bin:${Deno.env.get("PATH")}` },
      stdin: "null",
    }).output();
    assert.ok(!/command not found|syntax error/.test(new TextDecoder().decode(stderr)));
    await assert.rejects(Deno.stat(`${folder}/witness`), Deno.errors.NotFound);
    // deno-lint-ignore no-control-regex
    assert.ok(!/[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]/.test(notes));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("RESTORE.md has no line that a forged name made", () => {
  const plain = restoreNotes({
    ...manifest(),
    tables: [],
    warnings: [],
    server: { version: "15.20", database: "d" },
  }, []);
  const lines = new Set(plain.split("\n"));
  const more = restoreNotes(manifest(), FORGED).split("\n").filter((line) => !lines.has(line));
  for (const line of more) assert.doesNotMatch(line, /^(SQL.+|touch|```(?!sh$|$)|:|\\!)/);
  assert.equal(more.filter((line) => line.startsWith("```")).length, 0);
});

Deno.test("restore.list has one line for an entry with a forged name", () => {
  const entry = (tag: string, dumpId: number) => ({
    dumpId,
    tableoid: 1,
    oid: 2,
    desc: "TABLE",
    namespace: tag,
    tag,
    owner: tag,
    definition: "",
    dependencies: [],
    hasData: false,
  } as unknown as Entry);
  const list = restoreList(FORGED.map(entry));
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]/.test(list));
  const lines = list.split("\n").filter((line) => !line.startsWith(";") && line !== "");
  assert.equal(lines.length, FORGED.length);
  for (const line of lines) assert.match(line, /^\d+; 1 2 TABLE /);
});
