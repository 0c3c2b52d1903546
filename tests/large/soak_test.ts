/**
 * Many backups in a row under random faults, `SOAK_COUNT` of them (12, which take minutes; 200 take half an hour) or as
 * many as `SOAK_MINUTES` are enough for: no backup is lost, nothing is left over, every one that is kept restores, and
 * neither sessions nor files nor memory leak. `SOAK_SEED` repeats a sequence of faults; how they meet the run is up to
 * the machine.
 */
import assert from "node:assert/strict";
import { type Project, type Run, sessionsEnded, startProject } from "../e2e/project.ts";
import { joinParts } from "../e2e/restore.ts";
import { contentNow, expectTidy, startRestores } from "../faults/outcome.ts";
import { record } from "../faults/results.ts";

const COUNT = Number(Deno.env.get("SOAK_COUNT") ?? 12);
const MINUTES = Number(Deno.env.get("SOAK_MINUTES") ?? Infinity);
const SEED = Number(Deno.env.get("SOAK_SEED") ?? Date.now() % 1_000_000);
const PATIENCE_MS = 300_000;
/** Of each trigger; the model below follows it. */
const KEEP = 3;
/** Growth that is not a leak: garbage that is not collected yet, and what the stack itself keeps of each worker. */
const GROWTH_BYTES = 60e6;

type Random = (below: number) => number;

/** Mulberry32: small, and its sequence follows from the seed. */
function randomFrom(seed: number): Random {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Round {
  project: Project;
  random: Random;
  id: number;
  /** Answers requests of this round in the place of the project. */
  answer(reply: ((request: Request) => Response | null) | null): void;
  over(): boolean;
}

interface Fault {
  /** How often, among all of them. */
  weight: number;
  /** How its run may end; `succeeded` only, where nothing is said. */
  may?: Run["status"][];
  act(round: Round): Promise<void> | void;
}

const isFunction = (request: Request) => request.url.includes("/functions/v1/backup");
const isStorage = (request: Request) => request.url.includes("/storage/v1/");
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Answers the first `count` requests of a kind with what `reply` makes. */
function first(count: number, kind: (request: Request) => boolean, reply: () => Response) {
  let left = count;
  return (request: Request) => kind(request) && left-- > 0 ? reply() : null;
}

const FAULTS: Record<string, Fault> = {
  "nothing happens": { weight: 5, act: () => {} },
  "a worker is killed": { weight: 4, may: ["succeeded", "failed"], act: (round) => kill(round, 1) },
  "worker after worker is killed": {
    weight: 2,
    may: ["succeeded", "failed"],
    act: (round) => kill(round, 4),
  },
  "sessions are cut": {
    weight: 3,
    may: ["succeeded", "failed"],
    act: async ({ project, random }) => {
      await pause(random(1500));
      await project.superuser`
        select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'supabase-backup%'`;
    },
  },
  "it is cancelled": {
    weight: 3,
    may: ["succeeded", "cancelled"],
    act: async ({ project, random, id }) => {
      await pause(random(2500));
      await project.sql`select backup.cancel(${id})`;
    },
  },
  "Storage answers errors": {
    weight: 4,
    act: ({ random, answer }) => {
      const status = [408, 429, 500, 502, 503, 504][random(6)]!;
      answer(first(1 + random(4), isStorage, () => new Response("error", { status })));
    },
  },
  "Storage is full": {
    weight: 1,
    may: ["failed"],
    act: ({ answer }) => {
      const reply = () =>
        Response.json({ statusCode: "413", message: "The object exceeded the maximum allowed size" }, {
          status: 400,
        });
      answer((request) =>
        isStorage(request) && request.method === "POST" && request.url.includes(".dump") ? reply() : null
      );
    },
  },
  "a download is cut off": {
    weight: 3,
    act: ({ random, answer }) => {
      const isDownload = (request: Request) => request.method === "GET" && request.url.includes(".dump");
      const cut = () =>
        new ReadableStream({
          start: (controller) => {
            controller.enqueue(new Uint8Array(1000));
            setTimeout(() => controller.error(new Error("cut")), 20);
          },
        });
      answer(first(1 + random(2), isDownload, () => new Response(cut())));
    },
  },
  "a part is read back damaged": {
    weight: 2,
    act: ({ answer }) => {
      const isPart = (request: Request) => request.method === "GET" && /\/0000[01]\.dump/.test(request.url);
      answer(first(1, isPart, () => new Response("not the part")));
    },
  },
  "the function fails to start": {
    weight: 2,
    act: ({ random, answer }) =>
      answer(first(1 + random(2), isFunction, () => new Response("boot", { status: 503 }))),
  },
  "a call is lost": {
    weight: 2,
    act: async ({ project, answer, over }) => {
      answer(first(1, isFunction, () => Response.json({}, { status: 202 })));
      // What is waited for 45 seconds elsewhere.
      while (!over()) {
        await pause(200);
        await project.superuser`
          update backup.calls set created_at = created_at - interval '46 seconds', used_at = used_at - interval '46 seconds'
          where worker is null and answer is not null and answer ->> 'status' = '202'`;
      }
    },
  },
};

async function kill({ project, random, over }: Round, times: number): Promise<void> {
  for (let time = 0; time < times && !over(); time++) {
    await pause(random(1200));
    const living = project.stack.functions.workers().filter(({ state }) => state !== "ended");
    if (living.length > 0) await project.stack.functions.kill(living[random(living.length)]!.id);
  }
}

/** What this process and the server hold on to. */
async function held(project: Project) {
  const status = await Deno.readTextFile("/proc/self/status");
  const [sessions] = await project.superuser<{ n: number }[]>`
    select count(*)::int as n from pg_stat_activity where backend_type = 'client backend'`;
  return {
    memory: Number(/^RssAnon:\s*(\d+) kB/m.exec(status)![1]) * 1024,
    descriptors: (await Array.fromAsync(Deno.readDir("/proc/self/fd"))).length,
    sessions: sessions!.n,
  };
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

async function filesBelow(dir: string): Promise<number> {
  let count = 0;
  for await (const entry of Deno.readDir(dir)) {
    count += entry.isDirectory ? await filesBelow(`${dir}/${entry.name}`) : 1;
  }
  return count;
}

Deno.test("many backups in a row under random faults", async (test) => {
  const random = randomFrom(SEED);
  let reply: ((request: Request) => Response | null) | null = null;
  await using project = await startProject({
    migrate: "directly",
    intercept: async (request) => {
      const answer = reply?.(request) ?? null;
      if (answer !== null) await request.body?.cancel().catch(() => {});
      return answer;
    },
  });
  const { sql, superuser, stack } = project;
  await sql.unsafe(`
    create table public.noise as
    select g as id, (select string_agg(md5((g * 40 + n)::text), '') from generate_series(1, 30) n) as text from generate_series(1, 800) g;
    create table public.people as select g as id, 'person ' || g as name from generate_series(1, 300) g`);
  await sql`select backup.configure(workers => 2, slice_bytes => 500000, part_bytes => 170000, invocation_bytes => 2000000,
    keep_scheduled => ${KEEP}, keep_manual => ${KEEP})`;

  const weighted = Object.entries(FAULTS).flatMap(([name, { weight }]) => Array<string>(weight).fill(name));
  const good: { name: string; trigger: string; content: Record<string, string> }[] = [];
  const tally: Record<string, Record<string, number>> = {};
  const samples: Awaited<ReturnType<typeof held>>[] = [];
  let last: Run | null = null;

  /** Waits for the end of a run, as long as a slow machine and four deaths may take. */
  async function endOf(id: number): Promise<Run> {
    const began = performance.now();
    while (performance.now() - began < PATIENCE_MS) {
      await sql`select backup.watch()`;
      await pause(150);
      const now = await project.run(id);
      if (now.finished_at !== null) return now;
      // A worker that was killed between its call and its entering is waited for 45 seconds; here it is known that
      // nobody comes.
      if (stack.functions.workers().every(({ state }) => state === "ended")) {
        await superuser`
          update backup.calls set created_at = created_at - interval '46 seconds', used_at = used_at - interval '46 seconds'
          where worker is null and used_at is not null and used_at > clock_timestamp() - interval '45 seconds'`;
      }
    }
    const [state] = await superuser<{ state: unknown }[]>`
      select jsonb_build_object(
        'run', (select to_jsonb(l) from backup.log l where l.id = ${id}),
        'workers', (select jsonb_agg(to_jsonb(w)) from backup.workers w),
        'calls', (select jsonb_agg(to_jsonb(c)) from backup.calls c where c.run_id = ${id})
      ) as state`;
    throw new Error(
      `it has not ended in ${PATIENCE_MS / 1000} s: ${JSON.stringify(state!.state)}\n${
        project.logged.slice(-20).join("\n")
      }`,
    );
  }

  async function round(number: number, name: string): Promise<Run> {
    const fault = FAULTS[name]!;
    await sql`update public.people set name = ${`person of round ${number}`} where id = ${1 + random(300)}`;
    await sql`delete from public.noise where id = ${random(800)}`;
    const content = await contentNow(project);
    const trigger = random(2) === 0 ? "scheduled" : "manual";
    let over = false;
    const began = performance.now();
    const [row] = await sql<{ id: number }[]>`select backup.start(${trigger})::int as id`;
    const id = row!.id;
    const acting = Promise.resolve(
      fault.act({ project, random, id, answer: (given) => reply = given, over: () => over }),
    );
    const run = await endOf(id).catch((error) => {
      throw new Error(`round ${number} (${name}): ${error.message}`);
    });
    over = true;
    await acting;
    reply = null;
    const what = `round ${number} (${name}): ${run.status} ${run.error_message} ${
      JSON.stringify(run.attempts)
    }`;
    assert.ok((fault.may ?? ["succeeded"]).includes(run.status), what);
    if (run.status === "failed") assert.ok(run.error_code && run.error_hint, what);
    if (run.status === "succeeded") good.push({ name: run.name, trigger, content });
    console.log(
      `${number} ${name}: ${run.status} in ${
        ((performance.now() - began) / 1000).toFixed(1)
      } s, attempt ${run.attempt}`,
    );
    (tally[name] ??= {})[run.status] = (tally[name]![run.status] ?? 0) + 1;
    return run;
  }

  await test.step(`${COUNT} backups, seed ${SEED}: each ends as its fault may end it`, async () => {
    const began = performance.now();
    const isTime = () => performance.now() - began < MINUTES * 60_000;
    for (let number = 1; number <= COUNT && isTime(); number++) {
      await round(number, weighted[random(weighted.length)]!);
      samples.push(await held(project));
      if (number % 20 === 0) {
        const { memory, descriptors, sessions } = samples.at(-1)!;
        console.log(
          `${number} runs in ${Math.round((performance.now() - began) / 1000)} s: ${
            Math.round(memory / 1e6)
          } MB, ` +
            `${descriptors} descriptors, ${sessions} sessions, ${good.length} good`,
        );
      }
    }
    last = await round(samples.length + 1, "nothing happens");
    console.log(JSON.stringify(tally));
    assert.ok(Object.keys(tally).length > 1 || COUNT < 10, "faults happened");
  });

  const kept = good.filter(({ name, trigger }) =>
    good.filter((one) => one.trigger === trigger).slice(-KEEP).some((one) => one.name === name)
  );

  await test.step("the newest of each trigger are kept, whole, and nothing else is in the bucket or on the disk", async () => {
    await expectTidy(project);
    assert.deepEqual(Object.keys(await project.stored()).sort(), kept.map(({ name }) => name).sort());
    const [objects] = await superuser`select count(*)::int as n from storage.objects`;
    assert.equal(await filesBelow(`${stack.database.cluster.dir}/storage`), objects!["n"]);
  });

  await test.step("of the others the log knows that they were removed", async () => {
    const rows = await superuser<{ name: string; removed: boolean }[]>`
      select name, removed_at is not null as removed from backup.log where status = 'succeeded'`;
    assert.equal(rows.length, good.length);
    const isKept = new Set(kept.map(({ name }) => name));
    assert.deepEqual(rows.filter(({ name, removed }) => removed === isKept.has(name)), []);
  });

  await test.step("each that is kept is listed by pg_restore and restores to what there was", async () => {
    await using restores = await startRestores(project);
    const folder = await Deno.makeTempDir();
    try {
      for (const { name, content } of kept) {
        await joinParts(project.client, name, `${folder}/archive`);
        const list = await new Deno.Command(`${stack.database.cluster.binDir}/pg_restore`, {
          args: ["-l", `${folder}/archive`],
        }).output();
        assert.ok(list.success, new TextDecoder().decode(list.stderr));
        assert.match(new TextDecoder().decode(list.stdout), /TABLE DATA public noise/);
        assert.deepEqual(await restores.restored(name), content, name);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  await test.step("no session, file or memory leaks", async () => {
    await sessionsEnded(superuser);
    const third = Math.max(1, Math.floor(samples.length / 3));
    const early = samples.slice(third, 2 * third);
    const late = samples.slice(-third);
    const grown = (of: (sample: typeof samples[number]) => number) =>
      median(late.map(of)) - median(early.map(of));
    const growth = {
      memory: grown(({ memory }) => memory),
      descriptors: grown(({ descriptors }) => descriptors),
      sessions: grown(({ sessions }) => sessions),
    };
    console.log(JSON.stringify(growth));
    assert.ok(growth.memory < GROWTH_BYTES, `${growth.memory} bytes more in the last third`);
    assert.ok(growth.descriptors <= 5, `${growth.descriptors} descriptors more in the last third`);
    assert.ok(growth.sessions <= 2, `${growth.sessions} sessions more in the last third`);
    // What a run needs while it runs goes with the next.
    for (const table of ["plans", "workers", "calls", "slices", "parts"]) {
      const rows = await superuser.unsafe(`select distinct run_id from backup.${table}`);
      assert.ok(rows.length <= 1, `${table} has rows of ${rows.length} runs`);
    }
    const living = stack.functions.workers().filter(({ state }) => state !== "ended").length;
    assert.ok(living <= 4, `${living} workers live`);
  });

  const ends = (status: string) => Object.values(tally).reduce((sum, ended) => sum + (ended[status] ?? 0), 0);
  record(
    import.meta.url,
    `${samples.length + 1} backups in a row, ${Object.keys(tally).length} kinds of faults, seed ${SEED}`,
    last,
    {
      then:
        `${ends("succeeded")} succeeded, ${ends("failed")} failed with the reason, ${
          ends("cancelled")
        } were cancelled; ` +
        `the ${kept.length} newest restore equal, nothing else is left`,
    },
  );
});
