/** `npm run stack` as a process: what it prints, what it leaves, and that it leaves nothing. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import postgres from "postgres";
import type { StackStatus } from "../../../stack/status.ts";
import { descendants, untilDead } from "./processes.ts";

const MAIN = decodeURIComponent(new URL("../../../stack/main.ts", import.meta.url).pathname);

/** A function that answers, and a status file that is nobody else's. */
const scratch = await Deno.makeTempDir();
await Deno.chmod(scratch, 0o755);
const STATUS_FILE = `${scratch}/status.json`;
await Deno.mkdir(`${scratch}/functions/hello`, { recursive: true });
await Deno.writeTextFile(`${scratch}/functions/hello/index.ts`, 'Deno.serve(() => new Response("hello"));\n');
addEventListener("unload", () => Deno.removeSync(scratch, { recursive: true }));

interface Running {
  child: Deno.ChildProcess;
  /** What it wrote into the status file. */
  status: StackStatus;
  printed: string;
}

/** Starts the stack and waits until it has printed its last line; `shell` puts a shell before it. */
async function startMain(shell = false): Promise<Running> {
  const options = ["--no-migrate", "--status", STATUS_FILE, "--functions", `${scratch}/functions`];
  const command = [Deno.execPath(), "run", "-A", MAIN, ...options];
  const child = new Deno.Command(shell ? "sh" : command[0]!, {
    // The `;` keeps the shell from becoming the stack.
    args: shell ? ["-c", '"$@"; exit $?', "sh", ...command] : command.slice(1),
    stdout: "piped",
    stderr: "inherit",
    stdin: "null",
  }).spawn();
  let printed = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (/service_role key: .*\n/.test(printed)) break;
  }
  assert.match(printed, /service_role key: /, "the stack did not start");
  const status = JSON.parse(await Deno.readTextFile(STATUS_FILE)) as StackStatus;
  return { child, status, printed };
}

async function statusFile(): Promise<string | null> {
  return await Deno.readTextFile(STATUS_FILE).catch(() => null);
}

/** The server's folder, by what it answers. */
async function dataDirectory(status: StackStatus): Promise<string> {
  const sql = postgres(status.superuserUrl, { max: 1 });
  try {
    const [row] = await sql`select current_setting('data_directory') as dir`;
    return row!.dir;
  } finally {
    await sql.end();
  }
}

/** Starts a worker; answers the processes that run then. */
async function callFunction({ apiUrl, anonKey, pid }: StackStatus): Promise<number[]> {
  const headers = { authorization: `Bearer ${anonKey}` };
  const response = await fetch(`${apiUrl}/functions/v1/hello`, { headers });
  assert.equal(await response.text(), "hello");
  const pids = await descendants(pid);
  const names = pids.map((pid) => basename(Deno.readLinkSync(`/proc/${pid}/exe`)));
  assert.ok(names.includes("postgres") && names.includes("deno"), `a server and a worker: ${names}`);
  return pids;
}

Deno.test("`npm run stack` prints what `supabase status` does and writes it for other commands", async () => {
  const { child, status, printed } = await startMain();
  try {
    assert.match(printed, new RegExp(`^ *API URL: ${status.apiUrl}$`, "m"));
    assert.match(
      printed,
      new RegExp(`^ *DB URL: postgresql://postgres:.+@127\\.0\\.0\\.1:\\d+/postgres$`, "m"),
    );
    assert.ok(printed.includes(status.secretKey));
    assert.equal((await Deno.stat(STATUS_FILE)).mode! & 0o777, 0o600);
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`\`npm run stack\` ends in order on ${signal}`, async () => {
    const { child, status } = await startMain();
    const pids = await callFunction(status);
    const folder = await dataDirectory(status);
    child.kill(signal);
    assert.equal((await child.status).code, 0);
    await untilDead(pids);
    assert.equal(await statusFile(), null);
    await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
  });
}

Deno.test("nothing is left running, nor lying, when the stack is killed", async () => {
  const { child, status } = await startMain();
  const pids = await callFunction(status);
  const folder = await dataDirectory(status);
  child.kill("SIGKILL");
  await child.status;
  await untilDead(pids);
  await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
  await Deno.remove(STATUS_FILE);
});

Deno.test("the stack ends when the shell that started it is killed", async () => {
  const { child, status } = await startMain(true);
  assert.notEqual(child.pid, status.pid);
  const pids = [status.pid, ...await descendants(status.pid)];
  child.kill("SIGKILL");
  await child.status;
  await untilDead(pids);
  assert.equal(await statusFile(), null);
});

Deno.test("several stacks run side by side, and each takes only its own status away", async () => {
  const older = await startMain();
  const newer = await startMain();
  try {
    assert.notEqual(older.status.apiUrl, newer.status.apiUrl);
    older.child.kill("SIGTERM");
    await older.child.status;
    assert.equal(JSON.parse((await statusFile())!).apiUrl, newer.status.apiUrl);
    const response = await fetch(`${newer.status.apiUrl}/storage/v1/status`);
    await response.body?.cancel();
    assert.equal(response.status, 200);
  } finally {
    newer.child.kill("SIGTERM");
    await newer.child.status;
  }
  assert.equal(await statusFile(), null);
});

Deno.test("`npm run stack` refuses options it does not know, and a port that is none", async () => {
  for (const args of [["--nonsense"], ["--port", "0"], ["--db-port", "x"], ["--postgres", "9"]]) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", MAIN, ...args] })
      .output();
    assert.equal(code, 2);
    assert.match(new TextDecoder().decode(stderr), /^error: [\s\S]*\nUsage: npm run stack/);
  }
  const help = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", MAIN, "--help"] }).output();
  assert.equal(help.code, 0);
  assert.match(new TextDecoder().decode(help.stdout), /^Usage: npm run stack/);
});
