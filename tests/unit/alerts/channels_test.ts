/** What the environment makes of the channels, and the form in which each gets a message. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { type Channel, readChannels } from "../../../supabase/functions/backup/alerts/channels.ts";
import {
  type Event,
  messageOf,
  shortened,
  testMessage,
} from "../../../supabase/functions/backup/alerts/message.ts";
import { keyOf, signedHeaders } from "../../../supabase/functions/backup/alerts/signature.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, n) => n * 7);
const SECRET = `whsec_${btoa(String.fromCharCode(...KEY))}`;

const ALL: Record<string, string> = {
  BACKUP_ALERT_WEBHOOK_URL: "https://hooks.example/in?key=hush",
  BACKUP_ALERT_WEBHOOK_SECRET: SECRET,
  BACKUP_ALERT_SLACK_URL: "https://hooks.slack.example/services/T0/B0/hush",
  BACKUP_ALERT_DISCORD_URL: "https://discord.example/api/webhooks/1/hush",
  BACKUP_ALERT_TEAMS_URL: "https://teams.example/workflows/hush",
  RESEND_API_KEY: "re_hush",
  BACKUP_ALERT_EMAIL_FROM: "Backups <backups@example.org>",
  BACKUP_ALERT_EMAIL_TO: "a@example.org, b@example.org",
  BACKUP_PING_URL: "https://ping.example/hush",
};

const EVENT: Event = {
  id: 7,
  noticed_at: "2026-11-01T03:00:05.123+00:00",
  verdict: "failing",
  previous_verdict: "ok",
  reasons: [
    {
      code: "run_failed",
      severity: "failing",
      message: "the last run failed: <!channel> & @everyone",
      hint: "look",
    },
    { code: "one_copy", severity: "info", message: "there is one copy", hint: null },
  ],
};

function channels(change: Record<string, string | undefined> = {}): Record<Channel["name"], Channel> {
  const environment: Record<string, string | undefined> = { ...ALL, ...change };
  const all = readChannels((name) => environment[name]);
  return Object.fromEntries(all.map((channel) => [channel.name, channel])) as Record<
    Channel["name"],
    Channel
  >;
}

function bodyOn(name: Channel["name"], event = EVENT) {
  return JSON.parse(channels()[name].render(messageOf(event, 0, "abc.supabase.co")).body);
}

Deno.test("readChannels() knows which are on, which are off, and what is wrong, without a secret", () => {
  assert.deepEqual(readChannels(() => undefined).map(({ state }) => state), Array(6).fill("off"));
  assert.deepEqual(Object.values(channels()).map(({ state }) => state), Array(6).fill("on"));
  const wrong: [Channel["name"], Record<string, string | undefined>, RegExp][] = [
    ["webhook", { BACKUP_ALERT_WEBHOOK_SECRET: undefined }, /BACKUP_ALERT_WEBHOOK_SECRET is not set/],
    ["webhook", { BACKUP_ALERT_WEBHOOK_SECRET: "hush" }, /SECRET is not valid: it must be whsec_/],
    ["webhook", { BACKUP_ALERT_WEBHOOK_SECRET: "whsec_aHVzaA==" }, /24 to 64 bytes/],
    ["webhook", { BACKUP_ALERT_WEBHOOK_URL: undefined }, /BACKUP_ALERT_WEBHOOK_URL is not set/],
    ["slack", { BACKUP_ALERT_SLACK_URL: "hush" }, /it is not a valid URL/],
    ["slack", { BACKUP_ALERT_SLACK_URL: "http://slack.example/hush" }, /https/],
    ["slack", { BACKUP_ALERT_SLACK_URL: "http://127.0.0.1/hush" }, /https/],
    ["discord", { BACKUP_ALERT_DISCORD_URL: "https://me:hush@discord.example/" }, /user name or password/],
    ["teams", { BACKUP_ALERT_TEAMS_URL: "file:///hush" }, /https/],
    ["ping", { BACKUP_PING_URL: "ftp://hush/" }, /https/],
    ["email", { RESEND_API_KEY: undefined }, /RESEND_API_KEY is not set/],
    ["email", { BACKUP_ALERT_EMAIL_TO: " , " }, /EMAIL_TO is not set/],
    ["email", { BACKUP_ALERT_EMAIL_FROM: "hush" }, /no @/],
    ["email", { BACKUP_ALERT_EMAIL_API: "http://10.0.0.1/hush" }, /EMAIL_API.*https/],
  ];
  for (const [name, change, problem] of wrong) {
    const channel = channels(change)[name];
    assert.equal(channel.state, "wrong", JSON.stringify(change));
    assert.match(channel.problem!, problem);
    assert.ok(!channel.problem!.includes("hush"), channel.problem!);
  }
  assert.equal(
    channels({ BACKUP_ALERT_EMAIL_FROM: undefined, BACKUP_ALERT_EMAIL_TO: undefined }).email.state,
    "off",
    "a project may use Resend for other mail",
  );
});

Deno.test("plain HTTP is for this machine and for tests only", () => {
  const state = (url: string) =>
    channels({ BACKUP_ALERT_SLACK_URL: url, BACKUP_ALERT_ALLOW_LOOPBACK: "true" }).slack.state;
  for (const url of ["http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]/x"]) {
    assert.equal(state(url), "on", url);
  }
  for (const url of ["http://10.0.0.1/x", "http://169.254.169.254/x", "http://127.0.0.1.example/x"]) {
    assert.equal(state(url), "wrong", url);
  }
});

Deno.test("the webhook's body is signed as Standard Webhooks has it", () => {
  const { url, headers, body } = channels().webhook.render(messageOf(EVENT, 0, "abc.supabase.co"));
  assert.equal(url, ALL["BACKUP_ALERT_WEBHOOK_URL"]);
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature } = headers;
  const expected = createHmac("sha256", KEY).update(`${id}.${timestamp}.${body}`).digest("base64");
  assert.equal(signature, `v1,${expected}`);
  assert.ok(Math.abs(Number(timestamp) - Date.now() / 1000) < 5);
  const { type, timestamp: sentAt, data } = JSON.parse(body);
  assert.equal(type, "backup.failing");
  assert.equal(sentAt, "2026-11-01T03:00:05.123Z");
  assert.deepEqual(data.reasons, EVENT.reasons);
  assert.deepEqual(
    [data.event, data.verdict, data.previous_verdict, data.reminder, data.project],
    [7, "failing", "ok", false, "abc.supabase.co"],
  );
});

Deno.test("the signature is the one of the specification's own example", () => {
  // github.com/standard-webhooks/standard-webhooks, the vector that its libraries share.
  const key = keyOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")!;
  const headers = signedHeaders(
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    '{"test": 2432232314}',
    key,
    new Date(1614265330 * 1000),
  );
  assert.equal(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

Deno.test("an event has the same id each time it is sent, a reminder and a restored database's event another", () => {
  const id = (event: Event, told: number) => messageOf(event, told, "p").id;
  assert.equal(id(EVENT, 0), id({ ...EVENT }, 0));
  const others = [
    id(EVENT, 1),
    id({ ...EVENT, id: 8 }, 0),
    id({ ...EVENT, noticed_at: "2026-12-01T00:00:00Z" }, 0),
  ];
  assert.equal(new Set([id(EVENT, 0), ...others]).size, 4);
  assert.match(messageOf(EVENT, 1, "p").title, /are still failing, since 2026-11-01 03:00 UTC/);
});

Deno.test("Slack gets text in which nobody is called", () => {
  const { text } = bodyOn("slack");
  assert.match(
    text,
    /^❌ \*abc\.supabase\.co: backups are failing\*\nfailing: the last run failed: &lt;!channel&gt; &amp; @everyone\nWhat to do: look$/,
  );
});

Deno.test("Discord gets an embed that mentions nobody, within its limits", () => {
  const { embeds, allowed_mentions } = bodyOn("discord", {
    ...EVENT,
    reasons: Array(50).fill({ ...EVENT.reasons[0], message: "m".repeat(300) }),
  });
  assert.deepEqual(allowed_mentions, { parse: [] });
  assert.equal(embeds[0].description.length, 4096);
  assert.ok(embeds[0].title.length <= 256);
});

Deno.test("Teams gets a message with one adaptive card", () => {
  const { type, attachments } = bodyOn("teams");
  assert.deepEqual([type, attachments.length], ["message", 1]);
  assert.equal(attachments[0].contentType, "application/vnd.microsoft.card.adaptive");
  const { type: card, body } = attachments[0].content;
  assert.equal(card, "AdaptiveCard");
  assert.deepEqual(body.map(({ type }: { type: string }) => type), ["TextBlock", "TextBlock"]);
  assert.match(body[1].text, /the last run failed/);
});

Deno.test("the mail API gets one mail for all, with a key against sending twice", () => {
  const { url, headers, body } = channels().email.render(messageOf(EVENT, 0, "abc.supabase.co"));
  assert.equal(url, "https://api.resend.com/emails");
  assert.equal(headers["authorization"], "Bearer re_hush");
  assert.equal(headers["idempotency-key"], messageOf(EVENT, 0, "abc.supabase.co").id);
  const { from, to, subject, text } = JSON.parse(body);
  assert.deepEqual([from, to], ["Backups <backups@example.org>", ["a@example.org", "b@example.org"]]);
  assert.equal(subject, "abc.supabase.co: backups are failing");
  assert.match(text, /What to do: look/);
});

Deno.test("a recovery says what it was before, and a test that it is one", () => {
  const recovery = messageOf({ ...EVENT, verdict: "ok", previous_verdict: "failing", reasons: [] }, 0, "p");
  assert.equal(recovery.title, "p: backups recovered");
  assert.match(recovery.lines.join(), /The state before was: failing/);
  assert.match(testMessage("p").title, /test alert/);
});

Deno.test("shortened() keeps to its length and cuts no letter in two", () => {
  assert.equal(shortened("abc", 3), "abc");
  assert.equal(shortened("abcd", 3), "ab…");
  assert.equal(shortened("a😀bc", 3), "a…");
});

Deno.test("no channel gets a name's control characters or markup", () => {
  const forged = "x\n\n✅ all is well\x1b[2J\u202e [log in](https://evil.example) **x** <!channel> _y_";
  const event = { ...EVENT, reasons: [{ ...EVENT.reasons[0]!, message: forged, hint: forged }] };
  const texts = {
    slack: bodyOn("slack", event).text as string,
    discord: bodyOn("discord", event).embeds[0].description as string,
    teams: bodyOn("teams", event).attachments[0].content.body[1].text as string,
    email: bodyOn("email", event).text as string,
  };
  for (const [name, text] of Object.entries(texts)) {
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(text, /[\0-\x09\x0b-\x1f\u202e]/, name);
    assert.doesNotMatch(text, /^✅/m, name);
    assert.match(text, /all is well/, name);
  }
  for (const name of ["discord", "teams"] as const) {
    assert.doesNotMatch(texts[name], /[^\\]\[log in\]|[^\\]\*\*x/);
  }
  assert.deepEqual(
    JSON.parse(channels().webhook.render(messageOf(event, 0, "p")).body).data.reasons,
    event.reasons,
  );
});
