/** `npm run restore` at a terminal, without a single option: it lists, asks, shows how far it is, and restores. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startCluster } from "../../stack/postgres/cluster.ts";
import { backedUpProject } from "./scene.ts";

const PASSWORD = "s3cret";
const ROOT = new URL("../../", import.meta.url).pathname;

type Answers = [question: RegExp, answer: string][];

/** In a terminal that `script` makes. Each answer is typed when its question is there. */
async function atTerminal(env: Record<string, string>, args: string[], answers: Answers) {
  const command = [Deno.execPath(), "run", "-A", "--no-check", "cli/restore.ts", ...args];
  const child = new Deno.Command("script", {
    args: ["-qfec", command.map((word) => `'${word}'`).join(" "), "/dev/null"],
    cwd: ROOT,
    env: { NO_COLOR: "1", TERM: "xterm", ...env },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const left = [...answers];
  let shown = "";
  let from = 0;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    shown += text;
    const found = left[0]?.[0].exec(shown.slice(from));
    if (!found) continue;
    from += found.index + found[0].length;
    await writer.write(new TextEncoder().encode(`${left.shift()![1]}\n`));
  }
  await writer.close().catch(() => {});
  const { code } = await child.status;
  return { code, shown, unasked: left.map(([question]) => String(question)) };
}

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
      const { code, shown, unasked } = await atTerminal(env, ["--without-missing"], [
        [/Which backup\?/, "latest"],
        [/Where to\?/, to],
        [/Password of owner:/, PASSWORD],
      ]);
      assert.deepEqual([code, unasked], [0, []], shown);
      assert.match(shown, new RegExp(`${name} +│ manual[\\s\\S]*Which backup\\?`));
      assert.match(shown, /check [█░]+ \d+ %[^\n]* of /, "a bar while parts are fetched and checked");
      assert.match(shown, /restore [█░]+ \d+ %/, "and one for the entries");
      assert.ok(!shown.includes(PASSWORD));
      assert.equal((await sql`select from public.diary`).length, 5);
    });

    await test.step("drops nothing before the database's name was typed", async () => {
      await sql`delete from public.diary`;
      const options = ["--backup", name, "--to", to, "--clean", "--as", "plain", "--without-missing"];
      const question = /Type the database's name, postgres, to go on:/;
      const password: Answers[number] = [/Password of owner:/, PASSWORD];
      const wrong = await atTerminal(env, options, [password, [question, "postgers"]]);
      assert.deepEqual([wrong.code, wrong.unasked], [1, []], wrong.shown);
      assert.match(wrong.shown, /"postgers" is not "postgres"[\s\S]*Nothing was changed/);
      assert.equal((await sql`select from public.diary`).length, 0);
      const right = await atTerminal(env, options, [password, [question, "postgres"]]);
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
