/** A verifier that the server takes for the password that it was made of, and for no other. */
import assert from "node:assert/strict";
import { openSession } from "../../../supabase/functions/backup/postgres/session.ts";
import { scramVerifier } from "../../../supabase/functions/backup/postgres/scram.ts";
import { startCluster } from "../../../stack/postgres/cluster.ts";

Deno.test("[scram] a role logs in with the password of its verifier", async () => {
  const cluster = await startCluster({ password: "of the superuser" });
  try {
    const admin = await openSession(cluster.url());
    await admin.sql.unsafe(`create role r login password '${await scramVerifier("the password")}'`);
    await admin.close();
    const url = (password: string) => {
      const url = new URL(cluster.url("postgres", "r"));
      url.password = password;
      return url.href;
    };
    const session = await openSession(url("the password"));
    const [row] = await session.sql`select current_user as name`;
    await session.close();
    assert.equal(row!.name, "r");
    await assert.rejects(openSession(url("another")), /Cannot log in/);
  } finally {
    await cluster.stop();
  }
});
