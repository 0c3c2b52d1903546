/** Single tables of a stored backup: what they hold is right, and only the parts that hold them are fetched. */
import assert from "node:assert/strict";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { decryptionOf } from "../../cli/source/decryption.ts";
import { openBucket } from "../../cli/project/stored_backups.ts";
import { openStored } from "../../supabase/functions/backup/inspect/stored_archive.ts";
import { findRow, rowsOf } from "../../supabase/functions/backup/inspect/table_rows.ts";
import { tablesOf } from "../../supabase/functions/backup/inspect/tables.ts";
import { readManifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import type { Bucket } from "../../supabase/functions/backup/storage/bucket.ts";
import { HOSTILE, startScene } from "./scene.ts";

/**
 * Notes which parts are fetched whole, and how many bytes of others were there when more was asked for: how large the
 * last piece is, is up to the network.
 */
function watched(bucket: Bucket): { bucket: Bucket; whole: string[]; begun: Map<string, number> } {
  const whole: string[] = [];
  const begun = new Map<string, number>();
  const name = (path: string) => path.split("/")[1]!;
  return {
    whole,
    begun,
    bucket: {
      ...bucket,
      get: (path) => (whole.push(name(path)), bucket.get(path)),
      read: (path, consume) =>
        bucket.read(path, (pieces) =>
          consume(async function* () {
            let received = 0;
            for await (const piece of pieces) {
              begun.set(name(path), Math.max(begun.get(name(path)) ?? 0, received));
              received += piece.length;
              yield piece;
            }
          }())),
    },
  };
}

Deno.test("[inspect] tables of a stored backup", async (test) => {
  const { project, first } = await startScene();
  await using _ = project;
  const { sql, stack } = project;
  const folder = await Deno.makeTempDir();
  const bucket = openBucket({ url: stack.apiUrl, secretKey: stack.keys.secretKey });
  const manifestOf = async (name: string) => readManifest(await bucket.get(`${name}/manifest.json`));
  const manifest = await manifestOf(first.name);
  const tableOf = (archive: Awaited<ReturnType<typeof openStored>>, name: string) =>
    tablesOf(archive.entries).find((table) => table.schema === "shop" && table.name === name)!;

  await test.step("the backup has many slices, and a table that is cut", () => {
    assert.ok(manifest.parts.length > 12, `${manifest.parts.length} parts`);
  });

  await test.step("every table holds as many rows as its manifest says", async () => {
    const archive = await openStored(bucket, manifest, null);
    for (const table of tablesOf(archive.entries)) {
      const said = manifest.tables.find(({ schema, name }) =>
        schema === table.schema && name === table.name
      )!;
      let rows = 0;
      for await (const values of rowsOf(archive, table)) {
        assert.equal(values.length, table.columns.length);
        rows++;
      }
      assert.equal(rows, said.rows, table.name);
    }
  });

  await test.step("a row in the middle of a table that is cut is the one that was stored", async () => {
    const archive = await openStored(bucket, manifest, null);
    const [row] = await sql`
      select (select string_agg(md5((1717 * 40 + n)::text), '') from generate_series(1, 30) n) as text`;
    const big = tableOf(archive, "big");
    assert.deepEqual(big.key, ["id"]);
    assert.deepEqual(await findRow(archive, big, ["id"], ["1717"]), ["1717", row!["text"]]);
    assert.equal(await findRow(archive, big, ["id"], ["3001"]), null);
    const items = tableOf(archive, "items");
    assert.deepEqual(await findRow(archive, items, items.key!, ["7", "2"]), ["7", "2", "item 7.2"]);
    const hostile = tableOf(archive, HOSTILE);
    assert.deepEqual(await findRow(archive, hostile, [HOSTILE], ["k"]), ["k", "<b>bold</b>\n\u202e\x1b[31m"]);
  });

  /** Of a table that is cut and of a small one. */
  const readBeginnings = async (of: typeof manifest) => {
    const seen = watched(bucket);
    const archive = await openStored(seen.bucket, of, null);
    for await (const values of rowsOf(archive, tableOf(archive, "big"))) {
      assert.equal(values[0], "1");
      break;
    }
    for await (const _ of rowsOf(archive, tableOf(archive, "orders")));
    // The rows' own part, what is read ahead of it, and slices so small that their beginning is all of them.
    const large = manifest.parts.filter(({ name, bytes }) => name > "00010" && bytes > 64 * 1024);
    const fetched = large.filter(({ name }) => seen.whole.includes(name));
    assert.ok(large.length >= 10 && fetched.length <= 4, `${fetched.length} of ${large.length} were fetched`);
    const begun = [...seen.begun].filter(([part]) => !seen.whole.includes(part));
    assert.ok(begun.every(([, bytes]) => bytes < 64 * 1024), JSON.stringify(begun));
    return begun.length;
  };

  await test.step("the first rows of a table need its slice alone", async () => {
    const begun = await readBeginnings(manifest);
    assert.ok(begun <= 3, `${begun} parts were begun`);
  });

  await test.step("where the manifest does not say where tables begin, the slices' beginnings are looked at", async () => {
    const tables = manifest.tables.map(({ begin: _, ...table }) => table);
    assert.ok(await readBeginnings({ ...manifest, tables }) > 3);
  });

  await test.step("a part that was changed is not believed", async () => {
    const damaged: Bucket = {
      ...bucket,
      async get(path) {
        const bytes = await bucket.get(path);
        // The parts before it hold the table of contents.
        if (path > `${first.name}/00010`) bytes[bytes.length - 1]! ^= 1;
        return bytes;
      },
    };
    const archive = await openStored(damaged, manifest, null);
    await assert.rejects(
      Array.fromAsync(rowsOf(archive, tableOf(archive, "big"))),
      /Cannot read "backup-.*\/\d{5}\.dump": it differs from the manifest/,
    );
  });

  await test.step("an encrypted backup is read with its identity", async () => {
    const identity = await generateIdentity();
    const other = await identityToRecipient(await generateIdentity());
    await Deno.writeTextFile(`${folder}/key.txt`, `${identity}\n`);
    await sql`select backup.configure(recipient => ${`${other}, ${await identityToRecipient(identity)}`})`;
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    const encrypted = await manifestOf(run.name);
    const archive = await openStored(bucket, encrypted, await decryptionOf(encrypted, `${folder}/key.txt`));
    assert.deepEqual(await findRow(archive, tableOf(archive, "big"), ["id"], ["2999"]), ["2999", "short"]);
    assert.deepEqual(await findRow(archive, tableOf(archive, "orders"), ["id"], ["50"]), [
      "50",
      "new",
      "1.00",
    ]);
  });
  await Deno.remove(folder, { recursive: true });
});
