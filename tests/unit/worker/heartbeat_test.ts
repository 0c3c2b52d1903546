import assert from "node:assert/strict";
import type { RunClient } from "../../../supabase/functions/backup/run/run_client.ts";
import { Heartbeat } from "../../../supabase/functions/backup/worker/heartbeat.ts";

/** Answers heartbeats as told, and keeps what they said. */
function listening(answers: (boolean | Error)[]) {
  const heard: unknown[] = [];
  const heartbeat = (progress: unknown) => {
    heard.push(progress);
    const answer = answers[Math.min(heard.length, answers.length) - 1]!;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { heard, client: { heartbeat } as unknown as RunClient };
}

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** A lease that makes the heartbeat beat every 20 ms. */
const LEASE_SECONDS = 0.06;

Deno.test("[Heartbeat] tells of the work again and again until it is stopped", async () => {
  const { heard, client } = listening([true]);
  const heartbeat = new Heartbeat(client, LEASE_SECONDS, new AbortController().signal);
  heartbeat.progress = { slice: 1 };
  await until(() => heard.length >= 3);
  heartbeat[Symbol.dispose]();
  assert.deepEqual(heard.at(-1), { slice: 1 });
  heartbeat.check();
  const beats = heard.length;
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(heard.length, beats);
});

Deno.test("[Heartbeat] stops the work when the worker has lost its place, and beats no more", async () => {
  const { heard, client } = listening([true, false]);
  const heartbeat = new Heartbeat(client, LEASE_SECONDS, new AbortController().signal);
  await until(() => heard.length === 2);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.throws(() => heartbeat.check(), { code: "lease_lost" });
  assert.equal(heard.length, 2);
});

Deno.test("[Heartbeat] stops the work when the database does not hear it", async () => {
  const { heard, client } = listening([new Error("connection lost")]);
  const heartbeat = new Heartbeat(client, LEASE_SECONDS, new AbortController().signal);
  await until(() => heard.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.throws(() => heartbeat.check(), /connection lost/);
});

Deno.test("[Heartbeat] stops the work when the platform is about to end the isolate, and says why", () => {
  const stopping = new AbortController();
  const heartbeat = new Heartbeat(listening([true]).client, 60, stopping.signal);
  stopping.abort("cpu");
  assert.throws(() => heartbeat.check(), { code: "worker_ended", message: /cpu/ });
  assert.equal(heartbeat.signal.reason.code, "worker_ended");
  heartbeat[Symbol.dispose]();
});

Deno.test("[Heartbeat] says a phase at once, and fails there when the place is lost", async () => {
  const { heard, client } = listening([true, false]);
  const heartbeat = new Heartbeat(client, 60, new AbortController().signal);
  await heartbeat.phase("verifying");
  assert.deepEqual(heard, [{ phase: "verifying" }]);
  await assert.rejects(heartbeat.phase("rotating"), { code: "lease_lost" });
  heartbeat[Symbol.dispose]();
});

Deno.test("[Heartbeat] says at which table the platform ended the worker", () => {
  const stopping = new AbortController();
  using heartbeat = new Heartbeat(listening([true]).client, 60, stopping.signal);
  heartbeat.progress = { slice: 1, table: "tenant.slow", rows: 0, raw_bytes: 0 };
  stopping.abort("wall clock");
  assert.match(heartbeat.signal.reason.message, /table tenant\.slow: wall clock/);
});

Deno.test("[Heartbeat] of an isolate that is being ended already does not beat", () => {
  const { heard, client } = listening([true]);
  using heartbeat = new Heartbeat(client, LEASE_SECONDS, AbortSignal.abort("memory"));
  assert.throws(() => heartbeat.check(), { code: "worker_ended", message: /memory/ });
  assert.deepEqual(heard, []);
});
