/** The life of workers: how requests share them, and what ends them. */
import assert from "node:assert/strict";
import { lives, until, withFunctions } from "./runner.ts";

const HELLO = `export default { fetch: () => new Response("hello") };`;

/** Answers at once, works on for `ms` of its query, and says what it is told before its end. */
const BACKGROUND = `
  addEventListener("beforeunload", (event) => console.log("beforeunload", event.detail.reason));
  export default { fetch(request) {
    const ms = Number(new URL(request.url).searchParams.get("ms"));
    EdgeRuntime.waitUntil(new Promise((resolve) => setTimeout(resolve, ms)).then(() => console.log("worked")));
    return new Response("accepted", { status: 202 });
  } };`;

/**
 * Spins for `spin` milliseconds of its query in turns, or until it is told of its end, and keeps `mib` of memory: a MiB
 * at a time, so slowly that each is seen.
 */
const HUNGRY = `
  let told = false;
  addEventListener("beforeunload", (event) => {
    told = true;
    console.log("beforeunload", event.detail.reason);
  });
  const kept = [];
  export default { async fetch(request) {
    const { searchParams } = new URL(request.url);
    const turn = (ms = 1) => new Promise((resolve) => setTimeout(resolve, ms));
    const spin = searchParams.get("spin");
    for (let spun = 0; spin === "until-told" ? !told : spun < Number(spin); spun += 5) {
      for (const from = performance.now(); performance.now() - from < 5;);
      await turn();
    }
    for (let mib = 0; mib < Number(searchParams.get("mib")); mib++) {
      kept.push(new Uint8Array(2 ** 20).fill(1));
      await turn(25);
    }
    if (searchParams.has("forever")) for (;;);
    if (searchParams.has("hang")) await new Promise(() => {});
    return new Response("served");
  } };`;

const RESOURCE_LIMIT = {
  code: "WORKER_RESOURCE_LIMIT",
  message: "Function failed due to not having enough compute resources (please check logs)",
};

async function text(response: Promise<Response>): Promise<string> {
  return await (await response).text();
}

Deno.test("[workers] one serves a function's requests, at the same time too, and ends when it is idle", async () => {
  await withFunctions({ hungry: HUNGRY }, { limits: { idleMs: 100 } }, async ({ call, worker, logs }) => {
    await Promise.all(["?spin=50", "?spin=50", "?spin=50"].map((query) => text(call("/hungry" + query))));
    assert.equal(worker().requests, 3);
    await until(() => worker().state === "ended");
    assert.equal(worker().ended, "early_drop");
    assert.ok(logs.some(({ message }) => message === "beforeunload early_drop"));
    assert.equal(lives(worker().pid), false);
  });
});

Deno.test("[workers] one lives on for the promises of waitUntil()", async () => {
  const limits = { idleMs: 50 };
  await withFunctions({ background: BACKGROUND }, { limits }, async ({ call, worker, logs }) => {
    const response = await call("/background?ms=400");
    assert.equal(response.status, 202);
    await response.text();
    await until(() => worker().state === "ended");
    assert.deepEqual(logs.filter(({ level }) => level === "info").map(({ message }) => message), [
      "worked",
      "beforeunload early_drop",
    ]);
  });
});

Deno.test("[workers] oneshot: one serves one request, and its waitUntil()", async () => {
  await withFunctions(
    { background: BACKGROUND },
    { policy: "oneshot" },
    async ({ call, workers, logs }) => {
      await text(call("/background?ms=200"));
      await text(call("/background?ms=0"));
      await until(() => workers().every(({ state }) => state === "ended"));
      assert.deepEqual(workers().map(({ requests, ended }) => [requests, ended]), [
        [1, "early_drop"],
        [1, "early_drop"],
      ]);
      assert.equal(logs.filter(({ message }) => message === "worked").length, 2);
    },
  );
});

Deno.test("[workers] per_request: one serves one at a time, and each has a budget of CPU", async () => {
  const options = { policy: "per_request", limits: { cpuMs: 600 } } as const;
  await withFunctions({ hungry: HUNGRY }, options, async ({ call, workers, worker }) => {
    for (let request = 0; request < 4; request++) {
      assert.equal(await text(call("/hungry?spin=180")), "served");
    }
    assert.equal(worker().requests, 4);
    assert.ok(worker().cpuMs < 300, `${worker().cpuMs} ms is the largest request, not the sum`);
    await Promise.all([text(call("/hungry?spin=50")), text(call("/hungry?spin=50"))]);
    assert.deepEqual(workers().map(({ requests }) => requests), [5, 1]);
  });
});

Deno.test("[workers] one that has used half a limit takes no further request", async () => {
  await withFunctions({ hungry: HUNGRY }, { limits: { cpuMs: 400 } }, async ({ call, workers }) => {
    do await text(call("/hungry?spin=20")); while (workers()[0]!.state === "serving");
    const [first] = workers();
    assert.ok(first!.cpuMs >= 200, `retired at ${first!.cpuMs} ms of 400`);
    assert.equal(await text(call("/hungry")), "served");
    assert.equal(workers().length, 2);
    assert.equal(workers()[0]!.requests, first!.requests);
    await until(() => workers()[0]!.ended === "early_drop");
  });
});

Deno.test("[workers] one that is retired collects its garbage, which a function cannot ask for", async () => {
  const collected = `
    export const registry = new FinalizationRegistry(() => console.log("collected"));
    registry.register({}, 0);
    console.log("gc is", typeof gc);`;
  await withFunctions({ hungry: collected + HUNGRY }, { limits: { cpuMs: 400 } }, async (runner) => {
    const { call, logs, workers } = runner;
    await text(call("/hungry"));
    const answer = text(call("/hungry?spin=until-told"));
    await until(() => workers()[0]!.state !== "serving");
    await answer;
    const told = logs.filter(({ level }) => level === "info").map(({ message }) => message);
    assert.deepEqual(told.slice(0, 3), ["gc is undefined", "collected", "beforeunload cpu"]);
  });
});

Deno.test("[workers] CPU: an endless loop is killed at the limit, and the next request has a new worker", async () => {
  await withFunctions({ hungry: HUNGRY }, { limits: { cpuMs: 400 } }, async ({ call, worker, workers }) => {
    const response = await call("/hungry?forever");
    assert.equal(response.status, 546);
    assert.equal(response.headers.get("sb-error-code"), "WORKER_RESOURCE_LIMIT");
    assert.deepEqual(await response.json(), RESOURCE_LIMIT);
    assert.equal(worker().ended, "cpu");
    const { cpuMs } = worker();
    assert.ok(cpuMs >= 400 && cpuMs < 600, `killed at ${cpuMs} ms of 400`);
    assert.equal(await text(call("/hungry")), "served");
    assert.equal(workers().length, 2);
  });
});

Deno.test("[workers] CPU: waiting costs nothing", async () => {
  const limits = { cpuMs: 400, idleMs: 20 };
  await withFunctions({ background: BACKGROUND }, { limits }, async ({ call, worker }) => {
    await text(call("/background?ms=600"));
    await until(() => worker().state === "ended");
    assert.equal(worker().ended, "early_drop");
    assert.ok(worker().wallMs > 600 && worker().cpuMs < 100, `${worker().cpuMs} ms of CPU`);
  });
});

Deno.test("[workers] memory: buffers that are kept end the worker at the limit", async () => {
  const limits = { memoryBytes: 64 * 2 ** 20 };
  await withFunctions({ hungry: HUNGRY }, { limits }, async ({ call, worker, logs }) => {
    const response = await call("/hungry?mib=200");
    assert.equal(response.status, 546);
    assert.deepEqual(await response.json(), RESOURCE_LIMIT);
    assert.equal(worker().ended, "memory");
    const mib = worker().peakMemoryBytes / 2 ** 20;
    assert.ok(mib >= 64 && mib < 150, `killed at ${mib} MiB of 64`);
    assert.ok(logs.some(({ message }) => message === "beforeunload memory"));
  });
});

Deno.test("[workers] memory: so do objects on V8's heap", async () => {
  const source =
    `export default { fetch() { const all = []; for (;;) all.push({ a: all.length + 0.5 }); } };`;
  const options = { limits: { memoryBytes: 64 * 2 ** 20 } };
  await withFunctions({ objects: source }, options, async ({ call, worker }) => {
    assert.deepEqual(await (await call("/objects")).json(), RESOURCE_LIMIT);
    assert.equal(worker().ended, "memory");
  });
});

Deno.test("[workers] wall clock: one ends at the limit, whatever waits for it", async () => {
  await withFunctions(
    { hungry: HUNGRY },
    { limits: { wallClockMs: 800 } },
    async ({ call, worker, logs }) => {
      const response = await call("/hungry?hang");
      assert.equal(response.status, 546);
      assert.deepEqual(await response.json(), RESOURCE_LIMIT);
      assert.equal(worker().ended, "wall_clock");
      const { wallMs } = worker();
      assert.ok(wallMs >= 800 && wallMs < 2_000, `killed after ${wallMs} ms of 800`);
      assert.deepEqual(logs.filter(({ level }) => level === "info").map(({ message }) => message), [
        "beforeunload wall_clock",
      ]);
    },
  );
});

Deno.test("[workers] beforeunload comes at nine tenths of the CPU, once, and the worker goes on", async () => {
  await withFunctions({ hungry: HUNGRY }, { limits: { cpuMs: 1_000 } }, async ({ call, worker, logs }) => {
    assert.equal(await text(call("/hungry?spin=until-told")), "served");
    assert.ok(worker().cpuMs >= 900, `told at ${worker().cpuMs} ms of 1000`);
    assert.equal(logs.filter(({ message }) => message === "beforeunload cpu").length, 1);
    await until(() => worker().state === "ended");
    assert.equal(worker().ended, "early_drop");
  });
});

Deno.test("[workers] a crash in the middle of a request is told as the platform tells it", async () => {
  const sources = {
    crash:
      `export default { fetch() { setTimeout(() => { throw new Error("crashed"); }); return new Promise(() => {}); } };`,
    reject: `export default { fetch() {
      EdgeRuntime.waitUntil(Promise.reject(new Error("rejected")));
      return new Promise(() => {});
    } };`,
  };
  await withFunctions(sources, {}, async ({ call, workers, logs }) => {
    for (const name of Object.keys(sources)) {
      const response = await call(`/${name}`);
      assert.equal(response.status, 500);
      assert.equal((await response.json()).code, "WORKER_ERROR");
    }
    assert.deepEqual(workers().map(({ ended }) => ended), ["crash", "crash"]);
    for (const reason of [/crashed/, /rejected/]) {
      assert.ok(logs.some(({ level, message }) => level === "error" && reason.test(message)));
    }
  });
});

Deno.test("[workers] kill() ends one at once, and says whether there was one", async () => {
  await withFunctions({ hungry: HUNGRY }, {}, async ({ call, worker, workers, kill }) => {
    const hanging = call("/hungry?hang");
    await until(() => workers()[0]?.state === "serving");
    assert.equal(await kill(worker().id), true);
    assert.equal(lives(worker().pid), false);
    assert.equal(worker().ended, "killed");
    assert.equal((await (await hanging).json()).code, "WORKER_ERROR");
    assert.equal(await kill(worker().id), false);
    assert.equal(await kill("no such worker"), false);
  });
});

Deno.test("[workers] info tells how close to the limits a worker came", async () => {
  await withFunctions({ hungry: HUNGRY, hello: HELLO }, {}, async ({ call, workers }) => {
    await text(call("/hello"));
    await text(call("/hungry?spin=100&mib=20"));
    await new Promise((resolve) => setTimeout(resolve, 30));
    const [hello, hungry] = workers();
    assert.deepEqual([hello!.function, hungry!.function], ["hello", "hungry"]);
    assert.ok(hello!.bootMs > 0 && hello!.bootCpuMs > 0 && hello!.bootCpuMs <= hello!.bootMs + 10);
    assert.ok(hello!.cpuMs < hello!.bootCpuMs, "what it took to boot is told apart");
    assert.ok(hungry!.cpuMs > hello!.cpuMs + 10, `${hungry!.cpuMs} and ${hello!.cpuMs} ms`);
    const more = (hungry!.peakMemoryBytes - hello!.peakMemoryBytes) / 2 ** 20;
    assert.ok(more > 18 && more < 40, `${more} MiB more than a function that keeps nothing`);
    assert.ok(hungry!.wallMs > 100);
  });
});

Deno.test("[workers] cpu: the evaluation of a function's modules counts", async () => {
  const heavy = `for (let spun = 0; spun < 3e8; spun++); ${HELLO}`;
  await withFunctions({ heavy, light: HELLO }, {}, async ({ call, workers }) => {
    await text(call("/heavy"));
    await text(call("/light"));
    const [spinning, idle] = workers().map(({ cpuMs }) => cpuMs);
    assert.ok(spinning! > 2 * idle! && spinning! > 60, `${spinning} and ${idle} ms`);
  });
});
