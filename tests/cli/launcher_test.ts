/** `supabase-backup` and `npm run X`: what ends the command ends all of it, and shows in the exit code. */
import assert from "node:assert/strict";
import { until } from "../e2e/project.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** A server that takes connections and says nothing: a command waits for it. */
async function withSilentServer(
  use: (url: string, connected: Promise<unknown>) => Promise<void>,
): Promise<void> {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const connections: Deno.Conn[] = [];
  const connected = Promise.withResolvers<void>();
  const accepting = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      connected.resolve();
    }
  })().catch(() => {});
  try {
    await use(
      `postgresql://u:p@127.0.0.1:${(listener.addr as Deno.NetAddr).port}/d?sslmode=disable`,
      connected.promise,
    );
  } finally {
    listener.close();
    for (const connection of connections) connection.close();
    await accepting;
  }
}

/** The process and all below it, with what they were started as. */
async function processesBelow(pid: number): Promise<{ pid: number; command: string }[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-eo", "pid=,ppid=,args="] }).output();
  const all = new TextDecoder().decode(stdout).trim().split("\n").map((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)!;
    return { pid: Number(pid), parent: Number(parent), command: command! };
  });
  const found = all.filter((one) => one.pid === pid);
  for (const one of found) found.push(...all.filter(({ parent }) => parent === one.pid));
  return found;
}

const LAUNCHERS: [name: string, command: string[]][] = [
  ["supabase-backup", ["node", "cli/supabase-backup.mjs"]],
  ["npm run", ["npm", "run", "--silent"]],
];

for (const [name, [program, ...first]] of LAUNCHERS) {
  Deno.test(`${name}: a command that is killed does not end with 0, and one that is told to end ends`, async () => {
    const folder = await Deno.makeTempDir();
    const out = `${folder}/x.dump`;
    const start = (url: string) =>
      new Deno.Command(program!, {
        args: [...first, "dump", ...(program === "npm" ? ["--"] : []), "--db-url", url, "--out", out],
        cwd: ROOT,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
    try {
      await withSilentServer(async (url, connected) => {
        const killed = start(url);
        await connected;
        const deno = (await processesBelow(killed.pid)).at(-1)!;
        assert.match(deno.command, /deno.* run .*main\.ts dump/);
        Deno.kill(deno.pid, "SIGKILL");
        const { success } = await killed.output();
        assert.equal(success, false);
        // Nobody can clean up after it; but nothing has the name that was asked for.
        const left = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
        assert.ok(left.length === 1 && /^x\.dump\.\w+\.partial$/.test(left[0]!), left.join());
        await Deno.remove(`${folder}/${left[0]}`);
      });
      await withSilentServer(async (url, connected) => {
        const ended = start(url);
        await connected;
        const all = await processesBelow(ended.pid);
        assert.ok(all.length >= 2);
        Deno.kill(ended.pid, "SIGTERM");
        const { success, stderr } = await ended.output();
        assert.equal(success, false);
        await until("all of its processes have ended", async () => {
          const left = await Promise.all(all.map(({ pid }) => processesBelow(pid)));
          return left.flat().length === 0 ? true : null;
        });
        assert.match(new TextDecoder().decode(stderr), /Interrupted/);
      });
      assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("Ctrl-C at a terminal says that it ended, leaves no file, and ends with 130", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await withSilentServer(async (url, connected) => {
      const command = `node cli/supabase-backup.mjs dump --db-url '${url}' --out ${folder}/x.dump`;
      const child = new Deno.Command("script", {
        args: ["-qfec", command, "/dev/null"],
        cwd: ROOT,
        stdin: "piped",
        stdout: "piped",
        env: { NO_COLOR: "1", TERM: "xterm", SHELL: "/bin/bash" },
      }).spawn();
      await connected;
      const writer = child.stdin.getWriter();
      await writer.write(Uint8Array.of(3));
      const { code, stdout } = await child.output();
      await writer.close().catch(() => {});
      const shown = new TextDecoder().decode(stdout);
      assert.match(shown, /error: Interrupted\r\nhint: ".*x\.dump" was not written\./);
      assert.ok(!shown.includes("\x1b[?25l"), "the cursor was never hidden");
      assert.equal(code, 130);
    });
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
