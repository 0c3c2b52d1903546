/**
 * A project whose workers can be stopped at a named point, from outside: requests that are held, statements that wait.
 */
import assert from "node:assert/strict";
import type { Sql } from "postgres";
import type { StackOptions } from "../../stack/stack.ts";
import { type Project, type Run, startProject, until } from "../e2e/project.ts";
import { workerOf } from "./processes.ts";

/** A place in a run at which a worker can be held. */
export type Point =
  /** Inside a verb, at a trigger of holds.sql; after the worker's death the verb is committed or undone. */
  | { trigger: string; then: "commit" | "undo"; afterwards?: string }
  /** At a request to Storage, before it is served. */
  | { request: RegExp }
  /**
   * At whatever the query finds: it answers the backend of one of the worker's sessions as `pid`. Until then requests
   * are held, or locks that a statement takes.
   */
  | { query: string; holdRequest?: RegExp; lock?: string };

export interface Scene extends Project {
  /** Uploads that were begun, as `POST /storage/…`. */
  uploads: string[];
  /** Requests that match wait until `release`, which answers them with an error or lets them through. */
  holdRequests(pattern: RegExp): { held: Promise<string>; release(through: boolean): void };
  /** Waits until a worker's statement is at a trigger of holds.sql; it goes on when `act` is done. */
  holdVerb(trigger: string, act: (backend: number) => Promise<void>): Promise<void>;
  start(): Promise<number>;
  /** Waits until the run has ended; calls the watch-dog twice a second, where pg_cron does every minute. */
  over(id: number): Promise<Run>;
  /** Waits until a worker is at the point, kills its process, and lets the point go; `begin` has been called then. */
  killAt<T = void>(point: Point, begin?: () => Promise<T>): Promise<T>;
  /** The function's process behind a backend; waits until there is one. */
  processOf(backend: number): Promise<{ id: string; pid: number }>;
}

/** Number of the lock in holds.sql. */
const HOLD_LOCK = 77;

/** The database restarts: the session ended, or another one is refused or not answered for a moment. */
const CUT_OFF = /^(CONNECT|ECONN|57P0)/;

const UPLOAD = /^(POST|PUT) \/storage\/v1\/object\/backups\//;

export async function startScene(options: StackOptions = {}): Promise<Scene> {
  const holds = new Set<{ pattern: RegExp; reached(url: string): void; released: Promise<boolean> }>();
  const uploads: string[] = [];
  const project = await startProject({
    migrate: "directly",
    // Each worker has a process of its own: killing one ends no other.
    policy: "oneshot",
    intercept: async (request) => {
      const line = `${request.method} ${new URL(request.url).pathname}`;
      if (UPLOAD.test(line)) uploads.push(line);
      for (const hold of holds) {
        if (!hold.pattern.test(line)) continue;
        hold.reached(line);
        if (await hold.released) break;
        await request.body?.cancel().catch(() => {});
        return new Response("held", { status: 500 });
      }
      return null;
    },
    ...options,
  });
  const { sql, superuser, stack } = project;
  await sql.unsafe(await Deno.readTextFile(new URL("./holds.sql", import.meta.url)));

  const scene: Scene = Object.assign(project, {
    uploads,
    holdRequests(pattern: RegExp) {
      const { promise: held, resolve: reached } = Promise.withResolvers<string>();
      const { promise: released, resolve } = Promise.withResolvers<boolean>();
      const hold = { pattern, reached, released };
      holds.add(hold);
      return {
        held,
        release(through: boolean) {
          holds.delete(hold);
          resolve(through);
        },
      };
    },
    async holdVerb(trigger: string, act: (backend: number) => Promise<void>) {
      const holder = await superuser.reserve();
      try {
        await holder`select pg_advisory_lock(${HOLD_LOCK})`;
        await holder`insert into faults.armed values (${trigger})`;
        const backend = await until(`a worker is at ${trigger}`, async () => {
          const [row] = await holder<{ pid: number }[]>`
            select pid from pg_stat_activity
            where wait_event = 'advisory' and application_name like 'supabase-backup%'`;
          return row?.pid ?? null;
        });
        await act(backend);
      } finally {
        await holder`delete from faults.armed`;
        await holder`select pg_advisory_unlock_all()`;
        holder.release();
      }
    },
    async start() {
      const [row] = await sql<{ id: number }[]>`select backup.start()::int as id`;
      return row!.id;
    },
    async over(id: number) {
      let watched = Date.now();
      return await until(`run ${id} has ended`, async () => {
        try {
          if (Date.now() - watched > 500) {
            watched = Date.now();
            await sql`select backup.watch()`;
          }
          const run = await project.run(id);
          return run.finished_at === null ? null : run;
        } catch (error) {
          if (!CUT_OFF.test((error as { code?: string }).code ?? "")) throw error;
          return null;
        }
      }).catch(async (error) => {
        const state = await superuser`select to_jsonb(w) as worker from backup.workers w`;
        throw new Error(
          `${error.message}\n${JSON.stringify(state, null, 1)}\n${project.logged.slice(-30).join("\n")}`,
        );
      });
    },
    async processOf(backend: number) {
      return await until(
        `backend ${backend} has a process`,
        () => workerOf(superuser, backend, stack.functions.workers()),
      );
    },
    async killAt<T>(point: Point, begin = () => Promise.resolve(undefined as T)) {
      const begun = begin();
      if ("trigger" in point) await killInVerb(scene, point);
      else if ("request" in point) await killAtRequest(scene, point.request);
      else await killWhere(scene, point);
      return await begun;
    },
  });
  return scene;
}

async function killInVerb(
  scene: Scene,
  { trigger, then, afterwards }: { trigger: string; then: string; afterwards?: string },
): Promise<void> {
  await scene.holdVerb(trigger, async (backend) => {
    await kill(scene, backend);
    if (then === "undo") await endBackend(scene.superuser, backend);
    if (afterwards) await scene.superuser.unsafe(afterwards);
  });
}

async function endBackend(sql: Sql, backend: number): Promise<void> {
  await sql`select pg_terminate_backend(${backend})`;
  await until(`backend ${backend} is gone`, async () => {
    const [row] = await sql`select from pg_stat_activity where pid = ${backend}`;
    return row ? null : true;
  });
}

async function killAtRequest(scene: Scene, pattern: RegExp): Promise<void> {
  const hold = scene.holdRequests(pattern);
  try {
    const line = await within(`a request is ${pattern}`, hold.held);
    await kill(scene, await exporterOf(scene.superuser, line));
  } finally {
    hold.release(false);
  }
}

async function killWhere(
  scene: Scene,
  { query, holdRequest, lock }: { query: string; holdRequest?: RegExp; lock?: string },
): Promise<void> {
  const { superuser } = scene;
  await until("a worker has entered", async () => {
    const [row] = await superuser`select from backup.live_workers`;
    return row ?? null;
  });
  const hold = holdRequest ? scene.holdRequests(holdRequest) : null;
  const locker = lock ? await superuser.reserve() : null;
  try {
    await locker?.unsafe(`begin; ${lock}`).simple();
    const backend = await until(`${query} finds a worker`, async () => {
      const [row] = await superuser.unsafe<{ pid: number }[]>(query);
      return row?.pid ?? null;
    });
    await kill(scene, backend);
  } finally {
    hold?.release(false);
    await locker?.unsafe("rollback");
    locker?.release();
  }
}

async function kill(scene: Scene, backend: number): Promise<void> {
  const { id } = await scene.processOf(backend);
  assert.ok(await scene.stack.functions.kill(id), "the worker was alive until now");
}

/**
 * The export session of the worker that makes this request: the finisher, the owner of the part's slice, or the
 * planner.
 */
async function exporterOf(sql: Sql, line: string): Promise<number> {
  const part = Number(/(\d{5})\.dump/.exec(line)?.[1] ?? -1);
  const [row] = await sql<{ pid: number }[]>`
    select w.backend_pid as pid
    from backup.workers w join backup.live_workers using (id)
    left join backup.slices s on s.worker = w.id and s.finished_at is null
      and ${part} between s.first_part and s.first_part + 15
    order by (w.role = 'finish') desc, s.number is not null desc, (w.role = 'plan') desc limit 1`;
  assert.ok(row, `somebody makes the request ${line}`);
  return row.pid;
}

export async function within<T>(what: string, promise: Promise<T>, milliseconds = 300_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited too long until ${what}`)), milliseconds);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * For tests in which the database goes away: postgres.js 3.4.9 may write to a session that has just been lost, from a
 * timer of its own, where nobody can catch it. The query itself fails as it should.
 */
export function outliveLostSessions(): Disposable {
  const hear = (event: ErrorEvent) => {
    if (/null \(reading 'write'\)/.test(event.message)) event.preventDefault();
  };
  globalThis.addEventListener("error", hear);
  return { [Symbol.dispose]: () => globalThis.removeEventListener("error", hear) };
}
