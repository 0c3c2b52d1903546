/** Which database the function connects to. */
import assert from "node:assert/strict";
import { openDatabase } from "../../supabase/functions/backup/environment.ts";

async function opened(environment: Record<string, string>): Promise<unknown> {
  for (const [name, value] of Object.entries(environment)) Deno.env.set(name, value);
  try {
    return await openDatabase("test").catch((error) => error);
  } finally {
    for (const name of Object.keys(environment)) Deno.env.delete(name);
  }
}

Deno.test("[openDatabase] prefers the secret that people can set", async () => {
  const platform = { SUPABASE_DB_URL: "postgresql://a:s3cret@127.0.0.1:1/x" };
  assert.match(`${await opened(platform)}`, /127\.0\.0\.1:1: /);
  const own = { ...platform, BACKUP_DB_URL: "postgresql://a:s3cret@127.0.0.1:2/x" };
  assert.match(`${await opened(own)}`, /127\.0\.0\.1:2: /);
  assert.match(`${await opened({ ...platform, BACKUP_DB_URL: "" })}`, /127\.0\.0\.1:1: /);
});

Deno.test("[openDatabase] refuses the transaction pooler and what is not a URL, with the way out", async () => {
  const refused = {
    "postgresql://a:s3cret@host:6543/x": [/BACKUP_DB_URL names the transaction pooler/, /session pooler/],
    "s3cret": [/Cannot use the secret BACKUP_DB_URL: .* not a PostgreSQL URL/, /postgresql:/],
  } as const;
  for (const [url, [message, hint]] of Object.entries(refused)) {
    const error = await opened({ BACKUP_DB_URL: url }) as { code: string; message: string; hint: string };
    assert.equal(error.code, "not_configured");
    assert.match(error.message, message);
    assert.match(error.hint, hint);
    assert.doesNotMatch(error.message + error.hint, /s3cret/);
  }
});
