/** `npm run restore` at a terminal, without a single option: it lists, asks, shows how far it is, and restores. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startCluster } from "../../stack/postgres/cluster.ts";
import { type Answers, atTerminal } from "../cli/at_terminal.ts";
import { backedUpProject } from "./scene.ts";

const PASSWORD = "s3cret";
Deno.test("a restore at a terminal", async (test) => {
  const workDir = await Deno.makeTempDir();
  const server = await startCluster({ superuser: "owner", password: PASSWORD });
  const { project, name } = await backedUpProject();
  const env = {
    SUPABASE_URL: project.stack.apiUrl,
    SUPABASE_SECRET_KEY: project.stack.keys.secretKey,
    XDG_CACHE_HOME: workDir,
    HOME: workDir,
  };
  const to = server.url().replace(`:${PASSWORD}@`, "@");
  const sql = postgres(server.url(), { max: 1, onnotice: () => {} });
  try {
    await test.step("lists the backups, asks which and where to, and for a password that it does not show", async () => {
      const { code, shown, unasked } = await atTerminal(["restore", "--without-missing"], [
        [/Which backup\?/, "latest"],
        [/Where to\?/, to],
        [/Password of owner:/, PASSWORD],
      ], env);
      assert.deepEqual([code, unasked], [0, []], shown);
      assert.match(shown, new RegExp(`${name}[\\s\\S]*manual[\\s\\S]*Which backup\\?`));
      assert.match(shown, /check [█░]+ \d+ %[^\n]* of /, "a bar while parts are fetched and checked");
      assert.match(shown, /restore [█░]+ \d+ %/, "and one for the entries");
      assert.ok(!shown.includes(PASSWORD));
      assert.equal((await sql`select from public.diary`).length, 5);
    });

    await test.step("drops nothing before the database's name was typed", async () => {
      await sql`delete from public.diary`;
      const options = [
        "restore",
        "--backup",
        name,
        "--target-db-url",
        to,
        "--clean",
        "--as",
        "plain",
        "--without-missing",
      ];
      const question = /Type the database's name, postgres, to go on:/;
      const password: Answers[number] = [/Password of owner:/, PASSWORD];
      const wrong = await atTerminal(options, [password, [question, "postgers"]], env);
      assert.deepEqual([wrong.code, wrong.unasked], [1, []], wrong.shown);
      assert.match(wrong.shown, /"postgers" is not "postgres"[\s\S]*Nothing was changed/);
      assert.equal((await sql`select from public.diary`).length, 0);
      const right = await atTerminal(options, [password, [question, "postgres"]], env);
      assert.equal(right.code, 0, right.shown);
      assert.equal((await sql`select from public.diary`).length, 5);
    });
  } finally {
    await sql.end({ timeout: 1 });
    await project[Symbol.asyncDispose]();
    await server.stop();
    await Deno.remove(workDir, { recursive: true });
  }
});
