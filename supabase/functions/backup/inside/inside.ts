/**
 * An invocation that works on stored backups inside the project: looks into them, restores tables beside the living
 * ones, drills. It takes the turn, works on the database's tasks until its budget is used, and leaves; while tasks are
 * left, the database calls another one. Nothing is thrown.
 */
import { BackupError } from "../errors.ts";
import { Budget } from "../budget.ts";
import { isStatementError, type Session } from "../postgres/session.ts";
import { ArchiveError } from "../archive/primitives.ts";
import type { Reason } from "../run/run_client.ts";
import { BucketError, type ProjectBucket } from "../storage/bucket.ts";
import { openStored, type StoredArchive } from "../manifest/stored_archive.ts";
import type { Turn } from "../turn.ts";
import { drill } from "./drill.ts";
import { InsideClient, type InsideTask } from "./inside_client.ts";
import { peek } from "./peek.ts";
import { restoreBeside } from "./restore_beside.ts";
import { dropScratch } from "./scratch.ts";
import { Share } from "./share.ts";
import type { Work } from "./work.ts";

export interface InsideInvocation {
  openDatabase: Work["openDatabase"];
  openBucket(name: string): ProjectBucket;
  /** Aborted when the platform is about to end the isolate, or a run needs it. */
  stopping: AbortSignal;
  /** Ended when the work is over. */
  turn: Turn;
  log(message: string, facts?: Record<string, unknown>): void;
}

export async function workInside(invocation: InsideInvocation): Promise<void> {
  const { openDatabase, stopping, openBucket, log } = invocation;
  let session: Session | undefined;
  try {
    using turn = invocation.turn;
    session = await openDatabase("restore");
    // As archives are written.
    await session.sql.unsafe("set datestyle = 'ISO'; set intervalstyle = 'postgres'; set xmloption = content")
      .simple();
    const client = new InsideClient(session);
    const settings = await client.enter();
    if (settings === null) return;
    const budget = new Budget(settings.invocation_bytes, turn.before);
    const share = new Share(budget, stopping);
    // Of the tasks of one invocation most are about one backup.
    let opened: { key: string; archive: StoredArchive } | undefined;
    const open = async ({ backup, bucket, checksum }: InsideTask) => {
      if (bucket === null || checksum === null) throw goneError(backup);
      if (opened?.key !== `${bucket}/${backup}`) {
        opened = {
          key: `${bucket}/${backup}`,
          archive: await openStored(openBucket(bucket), backup, checksum),
        };
        share.spendEntries(opened.archive.entries.length);
      }
      return opened.archive;
    };
    try {
      await work({ openDatabase, session, client, share, open }, log);
    } finally {
      turn.end(budget.share);
      await client.leave();
    }
  } catch (error) {
    log("restoring ended", { error: error instanceof Error ? error.message : String(error) });
  } finally {
    await session?.close();
  }
}

async function work(work: Work, log: InsideInvocation["log"]): Promise<void> {
  const { client, share } = work;
  while (!share.isUsed) {
    const task = await client.next();
    if (task === null) return;
    const name = `${task.action} ${task.id}`;
    try {
      // What is not done wants an invocation that has more left.
      if (!await perform(work, task)) return;
      log(`${name}: done`);
    } catch (error) {
      await work.session.sql.unsafe("rollback");
      share.stopping.throwIfAborted();
      if (error instanceof BackupError && error.code === "lease_lost") throw error;
      // It is told apart as a task of its own.
      if (error instanceof BackupError && error.code === "cancelled") continue;
      const reason = reasonOf(error);
      log(`${name}: failed`, { ...reason });
      if (task.action === "clean") return;
      if (task.action === "peek") await client.peeked(task.id, null, reason);
      else await client.failed(task.id, reason, isFinal(error));
    }
  }
}

/** Returns whether the task is done; otherwise the next invocation goes on. */
async function perform(work: Work, task: InsideTask): Promise<boolean> {
  switch (task.action) {
    case "peek":
      await peek(work, task);
      return true;
    case "restore":
      return await restoreBeside(work, task);
    case "drill":
      return await drill(work, task);
    case "remove":
      await work.client.finished(task.id, "cancelled", null);
      return true;
    case "clean":
      await dropScratch(work.session);
      return true;
  }
}

function reasonOf(error: unknown): Reason {
  if (error instanceof BackupError) return { code: error.code, message: error.message, hint: error.hint };
  const message = error instanceof Error ? error.message : String(error);
  return { code: "internal", message, hint: "See the function's log." };
}

/** Whether another try would fail the same way. A connection that broke, or a service that is down, may come back. */
function isFinal(error: unknown): boolean {
  if (error instanceof BucketError) return error.failure === "refused" || error.failure === "full";
  if (error instanceof BackupError) return !["database_unreachable", "snapshot_lost"].includes(error.code);
  return error instanceof ArchiveError ||
    (isStatementError(error) && !/^(08|40|53|55|57|58)/.test((error as { code: string }).code));
}

function goneError(backup: string): BackupError {
  return new BackupError(
    "bad_request",
    `Backup "${backup}" is not in the log any more`,
    "Choose another one.",
  );
}
