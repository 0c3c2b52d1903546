/** What the page asks for. Answers hold rows and names of the backups, never a key or an address with a password. */
import { Hono } from "hono";
import { streamText } from "hono/streaming";
import { archiveState, type State } from "../../supabase/functions/backup/inspect/state.ts";
import { databaseState } from "../../supabase/functions/backup/inspect/database_state.ts";
import { compareStates } from "../../supabase/functions/backup/inspect/compare_states.ts";
import { tablesOf } from "../../supabase/functions/backup/inspect/tables.ts";
import { findKey } from "../inspect/find_key.ts";
import { definitionOf, objectsOf } from "../inspect/objects.ts";
import { type OpenBackup, openBackup } from "../inspect/open_backup.ts";
import type { StoredBackup } from "../project/stored_backups.ts";
import { backupsOf, type Origin } from "../source/source.ts";
import { CommandError } from "../terminal/errors.ts";
import { Progress, sendLines, settled } from "./answers.ts";
import { runCommand } from "./children.ts";
import type { Facts } from "./facts.ts";
import { RowPages } from "./row_pages.ts";

export interface PageOptions {
  origin: Origin;
  facts: Facts;
  /** Key file of encrypted backups. */
  identity?: string | undefined;
  /** The project's database, for comparisons with now; null where none is named. */
  databaseUrl: string | null;
  /** Where a restore would go; null where none is named. */
  targetUrl: string | null;
  /** Whether the page may restore. */
  allowActions: boolean;
}

/** Opened backups that are kept: each may hold parts in memory. */
const MOST_OPEN = 2;

const MOST_ROWS = 500;

const LISTED_MS = 30_000;

/** Comparisons show this many rows of each table and kind, of tables of up to this size. */
const SAMPLES = 50;
const UP_TO = 100e6;

/** Returns the routes. */
export function pageApi(options: PageOptions): Hono {
  const { origin, facts, identity, databaseUrl, targetUrl, allowActions } = options;
  const api = new Hono();
  const pages = new RowPages();
  const opened = new Map<string, Promise<OpenBackup>>();

  function open(name: string): Promise<OpenBackup> {
    const backup = opened.get(name) ?? openBackup(origin, name, identity);
    opened.delete(name);
    opened.set(name, backup);
    backup.catch(() => opened.delete(name));
    for (const oldest of [...opened.keys()].slice(0, -MOST_OPEN)) opened.delete(oldest);
    return backup;
  }

  let listed: { runs: string; until: number; backups: Promise<StoredBackup[]> } | null = null;

  /** Lists the backups, each of which costs a request, again when the runs have changed, and now and then. */
  function list(runs: string): Promise<StoredBackup[]> {
    if (listed?.runs !== runs || listed.until < Date.now()) {
      listed = { runs, until: Date.now() + LISTED_MS, backups: backupsOf(origin) };
      listed.backups.catch(() => listed = null);
    }
    return listed.backups;
  }

  api.onError((error, context) => {
    const { message, hint = "" } = error as Error & { hint?: string };
    return context.json({ message, hint }, 500);
  });

  api.get("/overview", async (context) => {
    const [health, runs, extras] = await Promise.all([
      settled(facts.health()),
      settled(facts.runs()),
      settled(facts.extras()),
    ]);
    const states = runs.value?.map(({ id, status }) => `${id} ${status}`).join();
    const backups = await settled(list(states ?? ""));
    return context.json({
      url: facts.url,
      hasDatabase: facts.hasDatabase,
      canPlan: targetUrl !== null,
      allowActions,
      health,
      runs,
      extras,
      backups: "error" in backups ? backups : {
        value: backups.value.map(({ name, storedBytes, damage, manifest, wrongParts }) => ({
          name,
          storedBytes,
          damage,
          wrongParts: wrongParts.length,
          snapshotAt: manifest?.snapshotAt ?? null,
          totals: manifest?.totals ?? null,
          encrypted: manifest?.encryption !== undefined,
        })),
      },
    });
  });

  api.get("/runs/:id", async (context) => {
    const id = Number(context.req.param("id"));
    const run = await facts.run(id);
    if (run === null) throw new CommandError(`There is no run ${id}`, "");
    return context.json({ run, tables: await facts.tableProgress(id) });
  });

  api.get("/backups/:name", async (context) => {
    const backup = await open(context.req.param("name"));
    const { manifest } = backup;
    return context.json({
      name: backup.name,
      manifest,
      objects: objectsOf(backup),
      guide: await guideOf(backup.name),
    });
  });

  api.get("/backups/:name/definitions/:id", async (context) => {
    const { archive } = await open(context.req.param("name"));
    return context.json({ definition: definitionOf(archive.entries, Number(context.req.param("id"))) });
  });

  api.get("/backups/:name/rows", async (context) => {
    const { schema, table: name, offset = "0", limit = "50" } = context.req.query();
    const backup = await open(context.req.param("name"));
    const table = tablesOf(backup.archive.entries).find((one) => one.schema === schema && one.name === name);
    if (table === undefined) {
      throw new CommandError(`Backup ${backup.name} has no rows of ${schema}.${name}`, "");
    }
    const count = Math.min(Number(limit), MOST_ROWS);
    return context.json(await pages.page(backup.name, backup.archive, table, Number(offset), count));
  });

  api.get("/find", (context) => {
    const table = context.req.query("table") ?? "";
    const key = context.req.queries("key") ?? [];
    return streamText(context, async (stream) => {
      await sendLines(stream, async function* () {
        for await (const found of findKey(origin, table, key, identity)) yield { found };
      });
    });
  });

  api.get("/difference", (context) => {
    const { before = "", after = "" } = context.req.query();
    return streamText(context, async (stream) => {
      await sendLines(stream, async function* () {
        await using one = await stateOf(before);
        await using two = await stateOf(after);
        const progress = new Progress();
        const compared = compareStates(one, two, {
          tables: null,
          upTo: UP_TO,
          samples: SAMPLES,
          onTable: (name, done, total) => progress.set({ name, done, total }),
        });
        const done = compared.then((difference) => ({ difference }));
        while (true) {
          const message = await Promise.race([done, progress.next()]);
          yield message;
          if ("difference" in message) return;
        }
      });
    });
  });

  async function stateOf(name: string): Promise<State> {
    if (name !== "now") {
      const { archive, manifest } = await open(name);
      return await archiveState(archive, manifest);
    }
    if (databaseUrl !== null) return await databaseState(databaseUrl);
    throw new CommandError("No database is named", "Start the page with SUPABASE_DB_URL or --db-url URL.");
  }

  api.get("/plan", (context) => {
    const args = restoreArgs(context.req.query("backup") ?? "", context.req.queries("table") ?? []);
    return streamText(context, async (stream) => {
      await sendLines(
        stream,
        () => runCommand(["restore", ...args, "--dry-run"], restoreEnv()),
      );
    });
  });

  api.post("/restore", async (context) => {
    if (!allowActions) throw new CommandError("This page may only look", "Start it with --allow-actions.");
    if (context.req.header("content-type") !== "application/json") throw new CommandError("Send JSON", "");
    const { backup, tables, schema } = await context.req.json() as Record<string, unknown>;
    if (
      typeof backup !== "string" || typeof schema !== "string" || !Array.isArray(tables) ||
      tables.length === 0
    ) {
      throw new CommandError("A restore beside needs a backup, tables and a new schema's name", "");
    }
    const args = [...restoreArgs(backup, tables.map(String)), `--into-schema=${schema}`];
    return streamText(context, async (stream) => {
      await sendLines(stream, () => runCommand(["restore", ...args], restoreEnv()));
    });
  });

  /** Keys and addresses are for the environment: command lines can be seen by others. */
  function restoreEnv(): Record<string, string> {
    if (targetUrl === null) {
      throw new CommandError(
        "No target is named",
        "Start the page with RESTORE_DATABASE_URL or --target-db-url URL.",
      );
    }
    const project = origin.kind === "project" ? origin.project : null;
    return {
      RESTORE_DATABASE_URL: targetUrl,
      ...(project === null ? {} : { SUPABASE_URL: project.url, SUPABASE_SECRET_KEY: project.secretKey }),
    };
  }

  /** Values stand behind a `=`, so that none is taken for an option. */
  function restoreArgs(backup: string, tables: readonly string[]): string[] {
    const from = origin.kind === "folder" ? [`--from=${origin.dir}`] : [];
    const key = identity === undefined ? [] : [`--identity=${identity}`];
    return [`--backup=${backup}`, ...from, ...key, ...tables.map((table) => `--table=${table}`)];
  }

  async function guideOf(name: string): Promise<string | null> {
    if (origin.kind === "file") return null;
    return await origin.bucket.get(`${name}/RESTORE.md`).then(
      (bytes) => new TextDecoder().decode(bytes),
      () => null,
    );
  }

  return api;
}
