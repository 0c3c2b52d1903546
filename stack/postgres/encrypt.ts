/** Encryption of a cluster's connections. */
import postgres from "postgres";
import type { Certificates } from "../certificates.ts";
import type { Cluster } from "./cluster.ts";
import { giveAway } from "./ownership.ts";

/** New sessions may be encrypted from now on; none has to be. */
export async function encrypt({ dir, port }: Cluster, { certificate, key }: Certificates): Promise<void> {
  const settings = { ssl_cert_file: "server.pem", ssl_key_file: "server.key", ssl: "on" };
  for (const [name, text] of [[settings.ssl_cert_file, certificate], [settings.ssl_key_file, key]]) {
    await Deno.writeTextFile(`${dir}/${name}`, text!, { mode: 0o600 });
    await giveAway(`${dir}/${name}`);
  }
  const sql = postgres({ host: dir, port, user: "supabase_admin", database: "postgres", max: 1 });
  try {
    for (const [name, value] of Object.entries(settings)) {
      await sql.unsafe(`alter system set ${name} = '${value}'`);
    }
    await sql`select pg_reload_conf()`;
    // Sessions that begin now see the change a moment later.
    while ((await sql`show ssl`)[0]!["ssl"] !== "on") await new Promise((again) => setTimeout(again, 10));
  } finally {
    await sql.end();
  }
}
