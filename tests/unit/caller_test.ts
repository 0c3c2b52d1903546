import assert from "node:assert/strict";
import { identifyCaller, secretKeys } from "../../supabase/functions/backup/caller.ts";

const SECRETS: Record<string, string> = {
  SUPABASE_SECRET_KEYS: '{"default": "sb_secret_one", "second": "sb_secret_two"}',
  SUPABASE_PUBLISHABLE_KEYS: '{"default": "sb_publishable_one"}',
  SUPABASE_SERVICE_ROLE_KEY: "header.payload.signature",
  SUPABASE_ANON_KEY: "anon.payload.signature",
};

function callerOf(headers: Record<string, string>, secrets = SECRETS) {
  return identifyCaller(
    new Request("http://localhost/", { method: "POST", headers }),
    (name) => secrets[name],
  );
}

Deno.test("[identifyCaller] knows every secret key and the service_role key, in either header", () => {
  for (const key of ["sb_secret_one", "sb_secret_two", "header.payload.signature"]) {
    assert.deepEqual(callerOf({ authorization: `Bearer ${key}` }), { kind: "key" });
    assert.deepEqual(callerOf({ apikey: key }), { kind: "key" });
  }
});

Deno.test("[identifyCaller] hands on what has the form of a token, and nothing else", () => {
  const token = crypto.randomUUID() + crypto.randomUUID();
  for (const good of [token, `copy-${token}`, `alert-${token}`]) {
    assert.deepEqual(callerOf({ "x-backup-token": good }), { kind: "token", token: good });
  }
  const wrong = [
    "",
    "abc",
    "alert-",
    `copy-${crypto.randomUUID()}`,
    `${token}0`,
    `-${token}`,
    ` or ${token}`,
  ];
  for (const text of wrong) assert.equal(callerOf({ "x-backup-token": text }), null, text);
});

Deno.test("[identifyCaller] refuses everybody else", () => {
  const refused: Record<string, string>[] = [
    {},
    { authorization: "Bearer " },
    { authorization: "Bearer sb_publishable_one" },
    { authorization: "Bearer anon.payload.signature", apikey: "sb_publishable_one" },
    { authorization: "Bearer sb_secret_on" },
    { authorization: "Bearer sb_secret_one2" },
    { authorization: "sb_secret_one" },
    { authorization: "Basic sb_secret_one" },
  ];
  for (const headers of refused) assert.equal(callerOf(headers), null, JSON.stringify(headers));
});

Deno.test("[identifyCaller] refuses everybody where the environment has no key, or an empty one", () => {
  for (const secrets of [{}, { SUPABASE_SECRET_KEYS: "not json" }, { SUPABASE_SERVICE_ROLE_KEY: "" }]) {
    assert.equal(callerOf({ authorization: "Bearer ", apikey: "" }, secrets as Record<string, string>), null);
    assert.deepEqual(secretKeys((name) => (secrets as Record<string, string>)[name]), []);
  }
});
