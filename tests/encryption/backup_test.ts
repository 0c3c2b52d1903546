/** Encrypted backups on the stack: what lies in the bucket, who can read it, and how it comes back. */
import assert from "node:assert/strict";
import { Decrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { drill } from "../../cli/compare/drill.ts";
import { storedEntries } from "../../cli/plan/stored_entries.ts";
import { WHOLE } from "../../cli/plan/plan_restore.ts";
import { fetchSource, type Origin } from "../../cli/source/source.ts";
import { verifyBackup } from "../../cli/verify/verify_backup.ts";
import { type Manifest, readManifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { sha256Hex } from "../../supabase/functions/backup/storage/sha256.ts";
import { supabaseBucket } from "../../supabase/functions/backup/storage/supabase/supabase_bucket.ts";
import { RESTORED, startRestoreTarget } from "../../stack/postgres/restore_target.ts";
import { workerOf } from "../faults/processes.ts";
import { contentOf, restore } from "../e2e/restore.ts";
import { type Project, type Run, startProject, until } from "../e2e/project.ts";

/** Words that only the database's rows and definitions have. */
const SECRETS = ["PGDMP", "letters_of_nobody", "dear diary"];

const LOW_ORDER = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z";

interface Key {
  identity: string;
  recipient: string;
  file: string;
}

async function makeKey(folder: string, name: string): Promise<Key> {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  const file = `${folder}/${name}.txt`;
  await Deno.writeTextFile(file, `# created: now\n# public key: ${recipient}\n${identity}\n`);
  return { identity, recipient, file };
}

async function partsOf({ client }: Project, { name, parts }: Manifest): Promise<Uint8Array[]> {
  const bucket = client.storage.from("backups");
  return await Promise.all(parts.map(async (part) => {
    const { data, error } = await bucket.download(`${name}/${part.name}`);
    if (error) throw error;
    return new Uint8Array(await data.arrayBuffer());
  }));
}

async function manifestOf({ client }: Project, { name }: Run): Promise<Manifest> {
  const { data, error } = await client.storage.from("backups").download(`${name}/manifest.json`);
  if (error) throw error;
  return readManifest(new Uint8Array(await data.arrayBuffer()));
}

/** As `age -d` for each part and `cat` would. */
async function joined(parts: Uint8Array[], { identity }: Key): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return new Uint8Array(
    await new Blob(await Promise.all(parts.map((part) => decrypter.decrypt(part)))).arrayBuffer(),
  );
}

Deno.test("[encryption] an encrypted backup", async (test) => {
  const folder = await Deno.makeTempDir();
  await using project = await startProject({
    migrate: "directly",
    policy: "oneshot",
  });
  const { sql, superuser, stack } = project;
  const [ours, safe, another] = await Promise.all(
    ["ours", "safe", "another"].map((name) => makeKey(folder, name)),
  );
  const bucket = supabaseBucket({ url: stack.apiUrl, key: stack.keys.secretKey, bucket: "backups" });
  const origin = {
    kind: "project" as const,
    project: { url: stack.apiUrl, secretKey: stack.keys.secretKey },
    bucket,
  };
  await sql.unsafe(`
    create table public.letters_of_nobody as
    select g as id, 'dear diary ' || (select string_agg(md5((g * 40 + n)::text), '') from generate_series(1, 30) n) as text
    from generate_series(1, 2500) g`);
  await superuser.unsafe("alter role anon set app.token = 'dear diary of anon'");
  await sql`select backup.configure(recipient => ${`${ours!.recipient}, ${
    safe!.recipient
  }`}, slice_bytes => 500000,
    part_bytes => 170000, invocation_bytes => 1000000, lease_seconds => 10)`;
  const run = await project.backUp();
  assert.equal(run.status, "succeeded", `${run.error_message} ${JSON.stringify(run.attempts)}`);
  const manifest = await manifestOf(project, run);
  const parts = await partsOf(project, manifest);

  await test.step("is made by many invocations, of parts of the allowed size, and none of them can be read", () => {
    assert.ok(run.invocations >= 3, `${run.invocations} invocations`);
    assert.ok(parts.length > 12, `${parts.length} parts`);
    for (const [index, bytes] of parts.entries()) {
      assert.match(manifest.parts[index]!.name, /^\d{5}\.dump\.age$/);
      assert.ok(bytes.length <= 170_000);
      const text = new TextDecoder("latin1").decode(bytes);
      assert.match(text, /^age-encryption\.org\/v1\n-> X25519 /);
      for (const secret of SECRETS) assert.ok(!text.includes(secret), secret);
    }
    assert.deepEqual(manifest.encryption, { format: "age", recipients: [ours!.recipient, safe!.recipient] });
    assert.ok(
      manifest.tables.every(({ adler32 }) => adler32 === undefined),
      "no checksum of what is encrypted",
    );
  });

  await test.step("is an ordinary archive when its parts are decrypted by age's own library and joined", async () => {
    const archive = await joined(parts, ours!);
    assert.deepEqual(await joined(parts, safe!), archive, "for each recipient the same");
    await assert.rejects(joined(parts, another!), /no identity matched/);
    await Deno.writeFile(`${folder}/a.dump`, archive);
    const target = await startRestoreTarget(stack.superuserUrl);
    try {
      await restore(target, `${folder}/a.dump`);
      const content = (url: string) => contentOf(url, /^(?!public\.|backup\.part_secrets)/);
      assert.deepEqual(await content(target.url(RESTORED)), await content(stack.superuserUrl));
      assert.match(
        (await content(target.url(RESTORED)))["backup.part_secrets"]!,
        /^0 rows/,
        "no secret in the backup",
      );
    } finally {
      await target.stop();
    }
  });

  await test.step("counts as good, and as a backup like any other", async () => {
    const [row] = await sql<{ reasons: { code: string }[] }[]>`select reasons from backup.health`;
    assert.ok(!row!.reasons.some(({ code }) => code === "backup_lost"), JSON.stringify(row!.reasons));
    const { data } = await project.client.storage.from("backups").download(`${run.name}/RESTORE.md`);
    const notes = await data!.text();
    assert.ok(
      notes.includes(ours!.recipient) && notes.includes(`age -d -i KEY "$part"`),
      notes.slice(0, 800),
    );
  });

  await test.step("has the roles beside it, encrypted as its parts are", async () => {
    const files = (await project.stored())[run.name]!;
    assert.ok(files.includes("roles.sql.age") && !files.includes("roles.sql"), files.join());
    const stored = await bucket.get(`${run.name}/roles.sql.age`);
    assert.ok(!new TextDecoder("latin1").decode(stored).includes("dear diary"));
    assert.match(
      new TextDecoder().decode(await joined([stored], safe!)),
      /^ALTER ROLE "anon" SET "app"\."token" TO 'dear diary of anon';$/m,
    );
  });

  await test.step("names the tables that it has by its first part alone", async () => {
    const manifest = readManifest(await bucket.get(`${run.name}/manifest.json`));
    const wanted = (name: string) =>
      storedEntries(origin, manifest, { ...WHOLE, tables: [name] }, ours!.file);
    await wanted("public.letters_of_nobody");
    await assert.rejects(wanted("public.letters"), /no table "public\.letters"/);
  });

  await test.step("is verified by its checksums without the key, and whole with it", async () => {
    const without = await verifyBackup(bucket, run.name);
    assert.deepEqual([without.faults, without.parts, without.rows], [[], parts.length, 0]);
    assert.match(without.unchecked.join(), new RegExp(`encrypted to ${ours!.recipient}, ${safe!.recipient}`));
    const whole = await verifyBackup(bucket, run.name, { identityFile: safe!.file });
    assert.deepEqual([whole.faults, whole.unchecked], [[], []]);
    assert.equal(whole.rows, manifest.totals.rows);
  });

  await test.step("is not read with another key or none, and the message names the right one", async () => {
    const fetched = (file?: string) => fetchSource(origin, run.name, `${folder}/none`, () => {}, file);
    const names = (said: RegExp) => ({ name: "CommandError", message: said });
    await assert.rejects(
      fetched(),
      names(new RegExp(`encrypted to ${ours!.recipient}, .*, and no identity is named`)),
    );
    await assert.rejects(
      fetched(another!.file),
      names(new RegExp(`encrypted to ${ours!.recipient}, .* contains the key of ${another!.recipient}`)),
    );
    await assert.rejects(fetched(`${folder}/lost.txt`), names(/Cannot read identity file ".*lost\.txt"/));
    assert.deepEqual(
      await Array.fromAsync(Deno.readDir(`${folder}/none`)).catch(() => []),
      [],
      "nothing was fetched",
    );
    await assert.rejects(
      verifyBackup(bucket, run.name, { identityFile: another!.file }),
      names(/contains the key of/),
    );
  });

  await test.step("is restored and compared by a drill with one of the keys", async () => {
    const { checks } = await drill(origin, run.name, {
      checks: `${folder}/no-checks`,
      workDir: `${folder}/work`,
      identityFile: ours!.file,
    });
    assert.deepEqual(checks.filter(({ outcome }) => outcome === "failed"), []);
    assert.ok(checks.filter(({ outcome }) => outcome === "passed").length > 10);
    assert.deepEqual(
      await Array.fromAsync(Deno.readDir(`${folder}/work`)),
      [],
      "nothing decrypted is left lying about",
    );
  });

  await test.step("a worker that is taken for dead in an upload and goes on writes the bytes that its successor wrote", async () => {
    const killed = Promise.withResolvers<void>();
    const late: { path: string; headers: Headers; body: Uint8Array }[] = [];
    const waiting: number[] = [];
    let held = false;
    const ownerOf = async (part: number) => {
      const [owner] = await superuser<{ id: string; pid: number }[]>`
        select w.id, w.backend_pid as pid
        from backup.slices s join backup.live_workers l on l.id = s.worker join backup.workers w on w.id = s.worker
        where s.finished_at is null and l.held_at is not null and ${part} between s.first_part and s.first_part + 15`;
      return owner;
    };
    project.fault = async (request) => {
      const path = new URL(request.url).pathname;
      const part = Number(/\/(\d{5})\.dump\.age$/.exec(path)?.[1] ?? 0);
      // The first numbers are the head's.
      if (request.method !== "POST" || part < 17) return null;
      if (held) {
        waiting.push(part);
        await killed.promise;
        return null;
      }
      held = true;
      late.push({ path, headers: request.headers, body: new Uint8Array(await request.arrayBuffer()) });
      const owner = await ownerOf(part);
      await until("another worker, who cannot leave, holds the snapshot as well", async () => {
        const others = await Promise.all(waiting.map(ownerOf));
        return others.some((other) => other && other.id !== owner!.id) || null;
      });
      const worker = await workerOf(superuser, owner!.pid, stack.functions.workers());
      await stack.functions.kill(worker!.id);
      killed.resolve();
      return new Response("the connection is gone", { status: 500 });
    };
    await sql`select backup.configure(workers => 2, invocation_bytes => 2000000, lease_seconds => 60)`;
    const again = await project.backUp();
    assert.equal(again.status, "succeeded", `${again.error_message} ${JSON.stringify(again.attempts)}`);
    const [{ path, headers, body }] = late as [typeof late[number]];
    assert.equal(again.attempt, 1, JSON.stringify(again.attempts));
    assert.ok(path.includes(`/${again.name}/`));
    const stored = await bucket.get(path.slice(path.indexOf("/backups/") + "/backups/".length));
    assert.deepEqual(stored, body);
    const answer = await fetch(`${stack.apiUrl}${path}`, {
      method: "POST",
      headers: {
        authorization: headers.get("authorization")!,
        apikey: headers.get("apikey")!,
        "x-upsert": "true",
      },
      body,
    });
    assert.equal(answer.status, 200, await answer.text());
    const verification = await verifyBackup(bucket, again.name, { identityFile: ours!.file });
    assert.deepEqual([verification.faults, verification.unchecked], [[], []]);
  });

  await test.step("damage is found by the checksum without the key, and by age where the checksum agrees", async () => {
    const { name } = manifest.parts[1]!;
    const damaged = parts[1]!.slice();
    damaged[damaged.length - 20]! ^= 1;
    await bucket.put(`${run.name}/${name}`, damaged, "application/octet-stream");
    const codes = async (file?: string) =>
      (await verifyBackup(bucket, run.name, { identityFile: file })).faults.map(({ code }) => code);
    assert.deepEqual(await codes(), ["part_damaged"]);
    assert.deepEqual(await codes(ours!.file), ["part_damaged"]);
    // Somebody who may write the bucket may write a manifest that agrees.
    const forged = structuredClone(manifest);
    forged.parts[1]!.sha256 = await sha256Hex(damaged);
    await bucket.put(
      `${run.name}/manifest.json`,
      new TextEncoder().encode(JSON.stringify(forged)),
      "application/json",
    );
    assert.deepEqual(await codes(), []);
    assert.deepEqual(await codes(ours!.file), ["part_not_decrypted"]);
    const fetchedFrom = (origin: Origin) =>
      fetchSource(origin, run.name, `${folder}/work`, () => {}, ours!.file);
    await assert.rejects(fetchedFrom(origin), {
      name: "CommandError",
      message: /not the one that backup\.log recorded/,
    });
    // A second copy comes without the log.
    await assert.rejects(fetchedFrom({ kind: "s3", bucket }), {
      name: "CommandError",
      message: new RegExp(`${name} cannot be decrypted`),
    });
    await assert.rejects(
      Deno.stat(`${folder}/work/${run.name}.dump`),
      Deno.errors.NotFound,
      "no archive that is not whole",
    );
  });

  await test.step("a recipient that cannot be used ends the run at once, with the reason", async () => {
    await assert.rejects(sql`select backup.configure(recipient => 'age1nobody')`, { code: "22023" });
    // A point that every key agrees with on the same secret: only the encryption itself can see it.
    await sql`select backup.configure(recipient => ${LOW_ORDER})`;
    const failed = await project.backUp();
    assert.deepEqual([failed.status, failed.error_code, failed.attempt], ["failed", "not_configured", 1]);
    assert.match(failed.error_message!, /Invalid recipient .* is not a public key/);
    assert.deepEqual([...await superuser`select from backup.part_secrets`], [], "no secret is left");
  });

  await test.step("encryption is turned off by an empty text", async () => {
    await sql`select backup.configure(recipient => '', slice_bytes => 30000000, part_bytes => 40000000, invocation_bytes => 80000000)`;
    const plain = await project.backUp();
    assert.equal(plain.status, "succeeded", plain.error_message ?? "");
    const { encryption, parts } = await manifestOf(project, plain);
    assert.equal(encryption, undefined);
    assert.ok(parts.every(({ name }) => /^\d{5}\.dump$/.test(name)));
  });

  await Deno.remove(folder, { recursive: true });
});
