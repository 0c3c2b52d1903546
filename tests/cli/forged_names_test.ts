/** Commands that are told forged names, by a project or by a backup: none reaches the terminal as more than text. */
import assert from "node:assert/strict";
import { VERSION } from "../../supabase/functions/backup/version.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Clears the screen, hides what follows, fakes a line of ours, turns the direction. */
const FORGED = "x\x1b[2J\x1b[8m\r\x9b1A\n✔ restored\n\u202e\u2028✔ restored\x07\u{e0041}";

const NAME = "backup-20261122-030000";

const RUN = {
  id: 1,
  name: FORGED,
  trigger: FORGED,
  status: "failed",
  phase: FORGED,
  attempt: 2,
  started_at: "2026-11-22T03:00:00Z",
  finished_at: "2026-11-22T03:01:00Z",
  progress: null,
  tables: 1,
  rows: 1,
  raw_bytes: 1,
  stored_bytes: 1,
  parts: 1,
  verified_at: null,
  pinned: false,
  attempts: [{ error: { code: FORGED } }],
  warnings: [{ code: FORGED, object: FORGED, message: FORGED }],
  error_code: FORGED,
  error_message: FORGED,
  error_hint: FORGED,
};

const MANIFEST = {
  formatVersion: 1,
  name: NAME,
  createdAt: "2026-11-22T03:00:00Z",
  snapshotAt: "2026-11-22T03:00:00Z",
  run: { id: 1, trigger: "manual", attempt: 1 },
  server: { version: FORGED, database: FORGED },
  archive: { format: "PGDMP 1.14", level: 4, entries: 1 },
  totals: { tables: 1, rows: 1, rawBytes: 1, storedBytes: 1, parts: 1 },
  tables: [{ schema: FORGED, name: FORGED, rows: 1, rawBytes: 1 }],
  parts: [{ name: "00000.dump", bytes: 1, sha256: "0".repeat(64) }],
  warnings: [{ code: FORGED, object: FORGED, message: FORGED }],
};

/** A project whose function and Storage say what they like. */
async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname.startsWith("/storage/v1/object/list/")) {
    const { prefix } = await request.json() as { prefix: string };
    if (prefix === "") return Response.json([{ name: NAME, id: null, metadata: null }]);
    return Response.json(
      ["manifest.json", FORGED].map((name) => ({ name, id: "1", metadata: { size: 1, contentLength: 1 } })),
    );
  }
  if (pathname.startsWith("/storage/v1/object/")) return Response.json(MANIFEST);
  const body = await request.json() as Record<string, unknown>;
  if ("version" in body) return Response.json({ version: VERSION });
  if ("log" in body) return Response.json({ runs: [RUN] });
  if ("health" in body) {
    const reasons = [{ code: FORGED, severity: "failing", message: FORGED, hint: FORGED }];
    return Response.json({ health: { verdict: "failing", reasons, facts: null, checked_at: FORGED } });
  }
  if ("alert" in body) {
    const channel = {
      channel: FORGED,
      state: "on",
      outcome: FORGED,
      status: 1,
      error: FORGED,
      milliseconds: 1,
    };
    return Response.json({ channels: [channel] });
  }
  if ("prune" in body) {
    return Response.json({
      keep: [{ name: FORGED, reasons: [FORGED] }],
      remove: [{ name: FORGED, reason: FORGED }],
      removed: [FORGED],
      warnings: [{ code: FORGED, object: FORGED, message: FORGED }],
    });
  }
  return Response.json({ run_id: 1 });
}

Deno.test("forged names are shown, and do nothing", async (test) => {
  const folder = await Deno.makeTempDir();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, answer);
  const env = {
    SUPABASE_URL: `http://127.0.0.1:${server.addr.port}`,
    SUPABASE_SECRET_KEY: "k",
    NO_COLOR: "1",
    XDG_CACHE_HOME: folder,
    COLUMNS: "80",
  };
  await Deno.mkdir(`${folder}/backup`);
  await Deno.writeTextFile(`${folder}/backup/manifest.json`, JSON.stringify(MANIFEST));
  await Deno.writeTextFile(`${folder}/backup/00000.dump`, "x");
  await Deno.writeTextFile(`${folder}/backup/x\x1b[2J\n✔ restored`, "x");
  /** In a terminal that `script` makes, or with pipes. */
  const run = async (args: string[], inTerminal: boolean) => {
    const command = [Deno.execPath(), "run", "-A", "--no-check", "cli/main.ts", ...args];
    const words = command.map((word) => `$'${word.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`).join(
      " ",
    );
    const { stdout, stderr } = await new Deno.Command(inTerminal ? "script" : command[0]!, {
      args: inTerminal ? ["-qec", `stty cols 100; ${words}`, "/dev/null"] : command.slice(1),
      cwd: ROOT,
      stdin: "null",
      env: { ...env, SHELL: "/bin/bash", TERM: "xterm" },
    }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  };
  const commands = [
    ["backup"],
    ["log"],
    ["log", "--json"],
    ["list"],
    ["list", "--json"],
    ["health"],
    ["health", "--json"],
    ["prune", "--yes"],
    ["prune", "--yes", "--json"],
    ["alerts", "test"],
    ["verify"],
    ["verify", "--from", `${folder}/backup`],
    ["verify", "--from", FORGED],
    ["restore", "--from", FORGED],
    ["drill", "--from", FORGED],
    [`verify`, `--${FORGED}`],
  ];
  try {
    for (const command of commands) {
      await test.step(JSON.stringify(command).slice(0, 60), async () => {
        const shown = await run(command, false);
        assert.doesNotMatch(
          shown,
          // deno-lint-ignore no-control-regex
          /[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u{e0000}-\u{e007f}]/u,
        );
        assert.doesNotMatch(shown, /^ *✔ restored/m);
        assert.match(shown, /x(\\u\{1b\}|\\u001b)\[2J/, "it is shown");
      });
    }
    for (const command of [["backup"], ["health"], ["verify"]]) {
      await test.step(`${command} in a terminal`, async () => {
        const shown = (await run(command, true)).replaceAll("\r\n", "\n");
        // Of a bar: back to the margin, and clear to the end of the line.
        // deno-lint-ignore no-control-regex
        assert.doesNotMatch(shown.replaceAll("\r\x1b[K", ""), /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]/);
        assert.doesNotMatch(shown, /^ *✔ restored/m);
      });
    }
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});
