import assert from "node:assert/strict";
import type { RunVerbs } from "../../../supabase/functions/backup/run/verbs.ts";
import { Heart } from "../../../supabase/functions/backup/worker/heart.ts";

/** Answers heartbeats as told, and keeps what they said. */
function listening(answers: (boolean | Error)[]) {
  const heard: unknown[] = [];
  const heartbeat = (progress: unknown) => {
    heard.push(progress);
    const answer = answers[Math.min(heard.length, answers.length) - 1]!;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { heard, verbs: { heartbeat } as unknown as RunVerbs };
}

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** A lease that makes the heart beat every 20 ms. */
const LEASE_SECONDS = 0.06;

Deno.test("[Heart] tells of the work again and again until it is stopped", async () => {
  const { heard, verbs } = listening([true]);
  const heart = new Heart(verbs, LEASE_SECONDS, new AbortController().signal);
  heart.progress = { slice: 1 };
  await until(() => heard.length >= 3);
  heart.stop();
  assert.deepEqual(heard.at(-1), { slice: 1 });
  heart.check();
  const beats = heard.length;
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(heard.length, beats);
});

Deno.test("[Heart] stops the work when the worker has lost its place, and beats no more", async () => {
  const { heard, verbs } = listening([true, false]);
  const heart = new Heart(verbs, LEASE_SECONDS, new AbortController().signal);
  await until(() => heard.length === 2);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.throws(() => heart.check(), { code: "lease_lost" });
  assert.equal(heard.length, 2);
});

Deno.test("[Heart] stops the work when the database does not hear it", async () => {
  const { heard, verbs } = listening([new Error("connection lost")]);
  const heart = new Heart(verbs, LEASE_SECONDS, new AbortController().signal);
  await until(() => heard.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.throws(() => heart.check(), /connection lost/);
});

Deno.test("[Heart] stops the work when the platform is about to end the isolate, and says why", () => {
  const stopping = new AbortController();
  const heart = new Heart(listening([true]).verbs, 60, stopping.signal);
  stopping.abort("cpu");
  assert.throws(() => heart.check(), { code: "worker_ended", message: /cpu/ });
  heart.stop();
});

Deno.test("[Heart] says a phase at once, and fails there when the place is lost", async () => {
  const { heard, verbs } = listening([true, false]);
  const heart = new Heart(verbs, 60, new AbortController().signal);
  await heart.phase("verifying");
  assert.deepEqual(heard, [{ phase: "verifying" }]);
  await assert.rejects(heart.phase("rotating"), { code: "lease_lost" });
  heart.stop();
});
