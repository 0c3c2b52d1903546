/**
 * Rows, indexes and keys on several connections, by what they need (pg_backup_archiver.c,
 * restore_toc_entries_parallel).
 */
import type { OpenArchive } from "../archive/reader.ts";
import type { Entry } from "../entry.ts";
import { contentOf } from "./passes.ts";
import type { Worker } from "./worker.ts";

/** Kinds that take their time. All others are a few milliseconds, and wait until these are done. */
const LONG = new Set([
  "CHECK CONSTRAINT",
  "CONSTRAINT",
  "FK CONSTRAINT",
  "INDEX",
  "INDEX ATTACH",
  "SEQUENCE SET",
]);

interface Task {
  entry: Entry;
  /** Dump ids of tasks that come first, and have not ended yet. */
  needs: Set<number>;
  /** Tables that it locks against each other task, or, an index, against those only. */
  tables: Set<number>;
  shared: boolean;
  /** Bytes of rows: large ones come first. */
  bytes: number;
}

/** Returns the tasks that can go on at the same time, and the entries that are left, in order. */
export async function tasksOf(
  archive: OpenArchive,
  entries: readonly Entry[],
  tables: ReadonlySet<number>,
): Promise<{ tasks: Task[]; rest: Entry[] }> {
  const places = await archive.places();
  const tasks = new Map<number, Task>();
  const rest: Entry[] = [];
  const left = new Set<number>();
  // Rows of a table, by the table's dump id.
  const rows = new Map<number, Task[]>();
  for (const entry of entries) {
    const { dumpId, desc, dependencies } = entry;
    const content = contentOf(entry);
    if ((content === null && !LONG.has(desc)) || dependencies.some((id) => left.has(id))) {
      rest.push(entry);
      left.add(dumpId);
      continue;
    }
    const own = dependencies.filter((id) => tables.has(id));
    const before = content === null ? own.flatMap((id) => rows.get(id) ?? []) : [];
    const needs = new Set([
      ...dependencies.filter((id) => tasks.has(id)),
      ...before.map((task) => task.entry.dumpId),
    ]);
    const bytes = content === null
      ? Math.max(0, ...before.map((task) => task.bytes))
      : places.get(dumpId)?.bytes ?? 0;
    const locks = content === null && desc !== "SEQUENCE SET" ? own : [];
    const task = { entry, needs, tables: new Set(locks), shared: desc === "INDEX", bytes };
    tasks.set(dumpId, task);
    if (content === "rows") { for (const id of own) rows.set(id, [...rows.get(id) ?? [], task]); }
  }
  return { tasks: [...tasks.values()], rest };
}

/** Runs the tasks, each on a free worker. Throws what `run` throws, when all that had begun have ended. */
export async function runTasks(
  tasks: readonly Task[],
  workers: readonly Worker[],
  run: (entry: Entry, worker: Worker) => Promise<void>,
): Promise<void> {
  // Stable: tasks of one size stay in the archive's order.
  const waiting = new Set(tasks.toSorted((a, b) => b.bytes - a.bytes));
  const dependents = new Map<number, Task[]>();
  for (const task of tasks) {
    for (const id of task.needs) dependents.set(id, [...dependents.get(id) ?? [], task]);
  }
  const running = new Map<Worker, { task: Task; end: Promise<void> }>();
  let failure: { error: unknown } | null = null;
  while (waiting.size > 0 || running.size > 0) {
    for (const worker of workers) {
      if (failure !== null || running.has(worker)) continue;
      const task = nextTask(waiting, [...running.values()].map(({ task }) => task));
      if (task === undefined) break;
      waiting.delete(task);
      const end = run(task.entry, worker).catch((error) => {
        failure ??= { error };
      }).then(() => {
        for (const dependent of dependents.get(task.entry.dumpId) ?? []) {
          dependent.needs.delete(task.entry.dumpId);
        }
        running.delete(worker);
      });
      running.set(worker, { task, end });
    }
    if (running.size === 0) break;
    await Promise.race([...running.values()].map(({ end }) => end));
  }
  if (failure !== null) throw (failure as { error: unknown }).error;
}

function nextTask(waiting: ReadonlySet<Task>, running: readonly Task[]): Task | undefined {
  for (const task of waiting) {
    if (task.needs.size === 0 && !running.some((other) => excludes(task, other))) return task;
  }
  return undefined;
}

function excludes(a: Task, b: Task): boolean {
  return !(a.shared && b.shared) && [...a.tables].some((table) => b.tables.has(table));
}
