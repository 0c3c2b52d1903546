/**
 * What the planner does before the first row is read, in a process of its own; prints what it cost as JSON. For
 * bench/catalog.ts.
 */
import { writeHead } from "../supabase/functions/backup/archive/header.ts";
import { openSession } from "../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../supabase/functions/backup/postgres/snapshot.ts";
import { readDump } from "../supabase/functions/backup/toc/dump.ts";

export interface PlanCost {
  wallSeconds: number;
  /** Of the thread that runs JavaScript: what a hosted function is measured by. */
  cpuSeconds: number;
  /** Resident before, and at most meanwhile. */
  idleBytes: number;
  peakBytes: number;
  entries: number;
  headBytes: number;
}

const TICKS_PER_SECOND = 100;

function threadSeconds(): number {
  const fields = Deno.readTextFileSync(`/proc/${Deno.pid}/task/${Deno.pid}/stat`).split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function residentBytes(name: "VmRSS" | "VmHWM"): number {
  const status = Deno.readTextFileSync(`/proc/${Deno.pid}/status`);
  return Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m"))![1]) * 1024;
}

if (import.meta.main) {
  const session = await openSession(Deno.env.get("DATABASE_URL")!);
  await beginSnapshot(session);
  // Begins a new high-water mark (proc(5)).
  Deno.writeTextFileSync(`/proc/${Deno.pid}/clear_refs`, "5");
  const [wall, cpu, idleBytes] = [performance.now(), threadSeconds(), residentBytes("VmRSS")];
  const dump = await readDump(session, { lockTimeoutMs: 60_000 });
  const head = writeHead(dump, { createdAt: new Date(), level: 4 });
  const cost: PlanCost = {
    wallSeconds: (performance.now() - wall) / 1000,
    cpuSeconds: threadSeconds() - cpu,
    idleBytes,
    peakBytes: residentBytes("VmHWM"),
    entries: dump.entries.length,
    headBytes: head.length,
  };
  console.log(JSON.stringify(cost));
  await session.close();
}
