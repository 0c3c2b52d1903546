/** Encryption as the connection string asks for it, against a server with a certificate of an authority of our own. */
import assert from "node:assert/strict";
import { startCluster } from "../../../stack/postgres/cluster.ts";
import { openSession, type SessionOptions } from "../../../supabase/functions/backup/postgres/session.ts";

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** An authority, and a certificate of it for `localhost`. */
async function makeCertificates(folder: string): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    `${folder}/ca.key`,
    "-out",
    `${folder}/ca.pem`,
    "-days",
    "2",
    "-subj",
    "/CN=test authority",
  );
  await openssl(
    "req",
    ...key,
    "-keyout",
    `${folder}/server.key`,
    "-out",
    `${folder}/server.csr`,
    "-subj",
    "/CN=localhost",
  );
  await Deno.writeTextFile(`${folder}/names`, "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n");
  await openssl(
    "x509",
    "-req",
    "-in",
    `${folder}/server.csr`,
    "-CA",
    `${folder}/ca.pem`,
    "-CAkey",
    `${folder}/ca.key`,
    "-CAcreateserial",
    "-days",
    "2",
    "-extfile",
    `${folder}/names`,
    "-out",
    `${folder}/server.pem`,
  );
}

async function isEncrypted(url: string, options: SessionOptions = {}): Promise<boolean> {
  const session = await openSession(url, options);
  try {
    const [row] = await session.sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
    let bytes = 0;
    await session.copy("copy (select repeat('x', 1000) from generate_series(1, 5000)) to stdout", (block) => {
      bytes += block.length;
    });
    assert.equal(bytes, 5000 * 1001);
    return row!["ssl"];
  } finally {
    await session.close();
  }
}

Deno.test("a connection", async (test) => {
  const folder = await Deno.makeTempDir();
  await makeCertificates(folder);
  const plain = await startCluster();
  const cluster = await startCluster({ settings: { listen_addresses: "localhost" } });
  // The server takes its key from its own folder only when it alone may read it.
  for (const name of ["server.key", "server.pem"]) {
    await Deno.copyFile(`${folder}/${name}`, `${cluster.dir}/${name}`);
    await Deno.chmod(`${cluster.dir}/${name}`, 0o600);
    const { uid, gid } = await Deno.stat(`${cluster.dir}/PG_VERSION`);
    await Deno.chown(`${cluster.dir}/${name}`, uid, gid);
  }
  const admin = await openSession(cluster.url());
  for (
    const [name, value] of [["ssl_cert_file", "server.pem"], ["ssl_key_file", "server.key"], ["ssl", "on"]]
  ) {
    await admin.sql.unsafe(`alter system set ${name} = '${value}'`);
  }
  await admin.sql`select pg_reload_conf()`;
  await admin.close();
  const url = (parameters: string) => `${cluster.url().replace("127.0.0.1", "localhost")}?${parameters}`;
  const trusted = `sslrootcert=${encodeURIComponent(`${folder}/ca.pem`)}`;
  try {
    await test.step("is encrypted where the authority is known, in every mode that may be", async () => {
      // The reload reaches new sessions a moment later.
      while (!await isEncrypted(url(`sslmode=prefer&${trusted}`))) {
        await new Promise((go) => setTimeout(go, 20));
      }
      for (const mode of ["allow", "prefer", "require", "verify-ca", "verify-full"]) {
        assert.equal(await isEncrypted(url(`sslmode=${mode}&${trusted}`)), true, mode);
      }
    });

    await test.step("is not where it must not be", async () => {
      assert.equal(await isEncrypted(url("sslmode=disable")), false);
    });

    await test.step("is refused from `require` on when the authority is unknown, with the way out", async () => {
      for (const mode of ["require", "verify-ca", "verify-full"]) {
        await assert.rejects(openSession(url(`sslmode=${mode}`)), {
          code: "database_unreachable",
          message: /certificate is not trusted/,
          hint: /sslrootcert/,
        });
      }
    });

    await test.step("trusts the authority that it is given", async () => {
      const rootCertificate = await Deno.readTextFile(`${folder}/ca.pem`);
      assert.equal(await isEncrypted(url("sslmode=require"), { rootCertificate }), true);
      assert.equal(await isEncrypted(url(""), { rootCertificate }), true);
    });

    await test.step("says why it is not encrypted, where others may read it", async () => {
      // Another name of this machine, which is not known to be one.
      const elsewhere = cluster.url().replace("127.0.0.1", "0.0.0.0");
      const session = await openSession(elsewhere);
      assert.match(session.exposed ?? "", /^its certificate is not trusted: /);
      await session.close();
      const declined = await openSession(plain.url().replace("127.0.0.1", "0.0.0.0"));
      assert.equal(declined.exposed, "the server does not offer encryption");
      await declined.close();
      const here = await openSession(cluster.url());
      assert.equal(here.exposed, null);
      await here.close();
    });

    await test.step("goes on in clear text by itself only where the caller allows it", async () => {
      const careful = { sslMode: "require" } as const;
      const elsewhere = cluster.url().replace("127.0.0.1", "0.0.0.0");
      await assert.rejects(openSession(elsewhere, careful), {
        message: /certificate is not trusted/,
        hint: /--ssl-root-cert/,
      });
      assert.equal(await isEncrypted(`${elsewhere}?sslmode=prefer`, careful), false);
      assert.equal(await isEncrypted(`${elsewhere}?sslmode=disable`, careful), false);
      assert.equal(await isEncrypted(plain.url(), careful), false, "this machine");
    });

    await test.step("is refused when the certificate is another host's", async () => {
      await assert.rejects(openSession(`${cluster.url()}?sslmode=require&${trusted}`), {
        code: "database_unreachable",
        message: /certificate is not trusted/,
      });
    });

    await test.step("is refused when encryption is wanted and the server has none", async () => {
      await assert.rejects(openSession(`${plain.url()}?sslmode=require`), {
        code: "database_unreachable",
        message: /does not offer encryption/,
      });
      assert.equal(await isEncrypted(`${plain.url()}?sslmode=prefer`), false);
    });

    await test.step("names the certificate, not the password, where the server takes only encrypted ones", async () => {
      const rules = `${cluster.dir}/pg_hba.conf`;
      const text = await Deno.readTextFile(rules);
      await Deno.writeTextFile(rules, text.replaceAll(/^host /gm, "hostssl "));
      const admin = await openSession(url(trusted));
      await admin.sql`select pg_reload_conf()`;
      await admin.close();
      const refused = async () =>
        await openSession(url("")).then((session) => session.close()).catch((error) => error);
      let error = await refused();
      for (; error === undefined; error = await refused()) await new Promise((go) => setTimeout(go, 20));
      assert.match(error.message, /the server requires encryption; its certificate is not trusted: /);
      assert.match(error.hint, /BACKUP_DB_CA/);
      assert.doesNotMatch(error.message + error.hint, /password/);
      assert.equal(await isEncrypted(url(trusted)), true);
    });
  } finally {
    await Promise.all([cluster.stop(), plain.stop()]);
    await Deno.remove(folder, { recursive: true });
  }
});
