/** Sending over real HTTP: tries, limits of time, and what is said of a failure. */
import assert from "node:assert/strict";
import { type Channel, readChannels } from "../../../supabase/functions/backup/alerts/channels.ts";
import { testMessage } from "../../../supabase/functions/backup/alerts/message.ts";
import { ping } from "../../../supabase/functions/backup/alerts/ping.ts";
import { type Attempt, send } from "../../../supabase/functions/backup/alerts/send.ts";
import { startReceiver } from "../../alerts/receiver.ts";

const QUICK = { answerMs: 300, waitsMs: [5, 5] };

function slackAt(url: string): { channel: Channel; environment: (name: string) => string | undefined } {
  const variables: Record<string, string> = {
    BACKUP_ALERT_SLACK_URL: `${url}/services/T0/B0/hush-hush?sig=hush-as-well`,
    BACKUP_PING_URL: `${url}/a-uuid/`,
    BACKUP_ALERT_ALLOW_LOOPBACK: "true",
  };
  const environment = (name: string) => variables[name];
  return { channel: readChannels(environment).find(({ name }) => name === "slack")!, environment };
}

async function attempts(channel: Channel): Promise<Attempt[]> {
  const made: Attempt[] = [];
  await send(channel, () => channel.render(testMessage("project")), {
    ...QUICK,
    onAttempt: (attempt) => Promise.resolve(void made.push(attempt)),
  });
  return made;
}

Deno.test("send() tries again when a receiver is out of order, and stops when it takes the message", async () => {
  await using receiver = startReceiver();
  const { channel } = slackAt(receiver.url);
  receiver.answer = () => receiver.received.length < 3 ? new Response("down", { status: 503 }) : null;
  const made = await attempts(channel);
  assert.deepEqual(made.map(({ outcome, status }) => [outcome, status]), [
    ["failed", 503],
    ["failed", 503],
    ["sent", 200],
  ]);
  assert.equal(made[0]!.error, "HTTP 503: down");
  assert.equal(receiver.received.length, 3);
});

Deno.test("send() gives up after three tries, and after one when the receiver refuses", async () => {
  await using receiver = startReceiver();
  const { channel } = slackAt(receiver.url);
  for (const [status, tries] of [[500, 3], [429, 3], [408, 3], [400, 1], [404, 1], [410, 1], [302, 1]]) {
    receiver.received.length = 0;
    receiver.answer = () =>
      new Response(null, { status: status!, headers: { location: `${receiver.url}/elsewhere` } });
    const made = await attempts(channel);
    assert.deepEqual([made.length, receiver.received.length], [tries, tries], `${status}`);
    assert.ok(made.every((attempt) => attempt.outcome === "failed" && attempt.status === status));
    assert.equal(receiver.at("/elsewhere").length, 0, "a redirection is not followed");
  }
});

Deno.test("send() waits for an answer for a bounded time, and so does ping()", async () => {
  await using receiver = startReceiver();
  const { channel, environment } = slackAt(receiver.url);
  const never = Promise.withResolvers<Response>();
  receiver.answer = () => never.promise;
  const made = await attempts(channel);
  const pinged = await ping(environment, "success", "text", { answerMs: 100, waitsMs: [5] });
  never.resolve(new Response());
  assert.deepEqual(made.map(({ error }) => error), Array(3).fill("no answer within 0.3 s"));
  assert.equal(pinged?.outcome, "failed");
});

Deno.test("send() takes headers of success for success, whatever becomes of the body", async () => {
  await using receiver = startReceiver();
  const { channel } = slackAt(receiver.url);
  receiver.answer = () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
  assert.deepEqual((await attempts(channel)).map(({ outcome }) => outcome), ["sent"]);
});

Deno.test("send() says why nothing was reached, and never a secret", async () => {
  const gone = startReceiver();
  const { channel } = slackAt(gone.url);
  await gone[Symbol.asyncDispose]();
  const refused = await attempts(channel);
  assert.deepEqual(
    refused.map(({ status, error }) => [status, error]),
    Array(3).fill([null, "the connection was refused"]),
  );

  await using receiver = startReceiver();
  const { channel: talkative } = slackAt(receiver.url);
  receiver.answer = (got) =>
    new Response(
      `no ${receiver.url}${got.path}, ${got.path}, hush-hush, hush-as-well here ${"x".repeat(9000)}`,
      { status: 404 },
    );
  const [attempt] = await attempts(talkative);
  assert.match(attempt!.error!, /^HTTP 404: no [^,]*…, …, …, … here x+$/);
  assert.ok(attempt!.error!.length <= 200);

  const { channel: nowhere } = slackAt("https://no-such-host.invalid");
  for (const { error } of await attempts(nowhere)) {
    assert.ok(error !== null && !error.includes("hush") && !error.includes("invalid"), error ?? "");
  }
});

Deno.test("ping() sends each signal to its own address", async () => {
  await using receiver = startReceiver();
  const { environment } = slackAt(receiver.url);
  for (const signal of ["start", "success", "fail", "log"] as const) {
    assert.equal((await ping(environment, signal, `about ${signal}`))?.outcome, "sent");
  }
  assert.deepEqual(receiver.received.map(({ path, body }) => [path, body]), [
    ["/a-uuid/start", "about start"],
    ["/a-uuid/", "about success"],
    ["/a-uuid/fail", "about fail"],
    ["/a-uuid/log", "about log"],
  ]);
  assert.equal(await ping(() => undefined, "start", ""), null, "nothing is sent where nothing is set up");
});
