/** What docs/alerts.md tells receivers and operators is true. */
import assert from "node:assert/strict";
import { keyOf, signedHeaders } from "../../../supabase/functions/backup/alerts/signature.ts";

const ROOT = new URL("../../../", import.meta.url);
const DOCS = await Deno.readTextFile(new URL("docs/alerts.md", ROOT));

Deno.test("the documented check of a signature takes what the function sends, and nothing else", async () => {
  const snippet = DOCS.match(/```js\n([\s\S]*?)```/)![1]!;
  const { isGenuine } = await import(
    `data:text/javascript,${encodeURIComponent(`${snippet}\nexport { isGenuine };`)}`
  );
  const secret = `whsec_${btoa("k".repeat(32))}`;
  const [body, now] = ['{"type":"backup.failing"}', new Date()];
  const headers = signedHeaders("id", body, keyOf(secret)!, now);
  assert.equal(isGenuine(headers, body, secret), true);
  assert.equal(
    isGenuine({ ...headers, "webhook-signature": `v1,AAAA ${headers["webhook-signature"]}` }, body, secret),
    true,
  );
  assert.equal(isGenuine(headers, body.replace("failing", "ok"), secret), false);
  assert.equal(isGenuine({ ...headers, "webhook-id": "other" }, body, secret), false);
  assert.equal(isGenuine(headers, body, `whsec_${btoa("l".repeat(32))}`), false);
  const old = signedHeaders("id", body, keyOf(secret)!, new Date(now.getTime() - 600_000));
  assert.equal(isGenuine(old, body, secret), false, "a message that is sent again later");
  assert.equal(isGenuine({}, body, secret), false);
});

Deno.test("every secret of the channels is documented, and none that is not read", async () => {
  const source = await Deno.readTextFile(new URL("supabase/functions/backup/alerts/channels.ts", ROOT));
  const names = (text: string) => new Set(text.match(/\b(BACKUP_(ALERT|PING)_\w+|RESEND_API_KEY)\b/g));
  const [read, documented] = [names(source), names(DOCS)];
  // For tests.
  for (const name of ["BACKUP_ALERT_ALLOW_LOOPBACK", "BACKUP_ALERT_EMAIL_API"]) assert.ok(read.delete(name));
  assert.deepEqual([...documented].sort(), [...read].sort());
});
