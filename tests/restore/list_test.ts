/** The list of stored backups, which a damaged one must not hinder. */
import assert from "node:assert/strict";
import { findBucket } from "../../cli/project/find_bucket.ts";
import { backupsTable } from "../../cli/commands/list.ts";
import { listBackups } from "../../cli/project/stored_backups.ts";
import { chooseBackup, type Origin } from "../../cli/source/source.ts";
import { type Manifest, writeManifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { memoryBucket } from "../doubles/memory_bucket.ts";

const [OLD, NEW, LEFTOVER] = ["backup-20261115-030000", "backup-20261122-030000", "backup-20261123-030000"];

function manifestOf(name: string, part = "00000.dump", encryption?: Manifest["encryption"]): Uint8Array {
  return writeManifest({
    formatVersion: 1,
    name,
    createdAt: "2026-11-22T03:00:09Z",
    snapshotAt: "2026-11-22T03:00:00Z",
    run: { id: 1, trigger: "scheduled", attempt: 1 },
    server: { version: "15.20", database: "theatre" },
    archive: { format: "PGDMP 1.14", level: 4, entries: 1 },
    totals: { tables: 0, rows: 0, rawBytes: 0, storedBytes: 5, parts: 1 },
    encryption,
    tables: [],
    parts: [{ name: part, bytes: 5, sha256: "0".repeat(64) }],
    warnings: [],
  });
}

async function stored(manifests: Record<string, Uint8Array>) {
  const bucket = memoryBucket();
  for (const [name, manifest] of Object.entries(manifests)) {
    await bucket.put(`${name}/manifest.json`, manifest, "");
  }
  for (const name of [OLD, NEW, LEFTOVER]) await bucket.put(`${name}/00000.dump`, new Uint8Array(5), "");
  await bucket.put("photos/cat.png", new Uint8Array(1), "");
  const origin: Origin = { kind: "project", project: { url: "", secretKey: "" }, bucket };
  return { bucket, origin };
}

Deno.test("a list shows all backups, and names the damaged one and what is wrong with it", async () => {
  const { bucket } = await stored({ [OLD]: manifestOf(OLD), [NEW]: manifestOf(NEW).slice(0, 100) });
  const backups = await listBackups(bucket);
  assert.deepEqual(
    backups.map(({ name, manifest, damage }) => [name, manifest !== null, damage !== null]),
    [[LEFTOVER, false, false], [NEW, false, true], [OLD, true, false]],
  );
  const shown = backupsTable(backups).join("\n");
  assert.match(shown, new RegExp(`${LEFTOVER} +│ no manifest`));
  assert.match(shown, new RegExp(`${OLD} +│ scheduled`));
  assert.match(shown, new RegExp(`${NEW} +│ .*damaged`));
  assert.match(shown, new RegExp(`damaged:.* ${NEW}/manifest\\.json is not valid: it is not valid JSON`));
});

Deno.test("a list says whose keys open which backups", async () => {
  const encrypted = (name: string, ...recipients: string[]) =>
    manifestOf(name, "00000.dump.age", { format: "age", recipients });
  const { bucket } = await stored({
    [OLD]: manifestOf(OLD),
    [NEW]: encrypted(NEW, "age1one", "age1two"),
    [LEFTOVER]: encrypted(LEFTOVER, "age1one", "age1two"),
  });
  const lines = backupsTable(await listBackups(bucket)).filter((line) => line.startsWith("encrypted"));
  assert.deepEqual(lines, [`encrypted to age1one and age1two: ${LEFTOVER}, ${NEW}`]);
});

Deno.test("the newest backup is the newest with a manifest; a damaged one is refused, not passed over", async () => {
  const { origin } = await stored({ [OLD]: manifestOf(OLD), [NEW]: manifestOf(NEW) });
  assert.equal(await chooseBackup(origin, "latest"), NEW);
  assert.equal(await chooseBackup(origin, OLD), OLD);
  const damaged = await stored({ [OLD]: manifestOf(OLD), [NEW]: new Uint8Array(3) });
  for (const wanted of ["latest", NEW]) {
    await assert.rejects(chooseBackup(damaged.origin, wanted), {
      message: new RegExp(`is damaged: ${NEW}/manifest\\.json`),
      hint: new RegExp(`--backup NAME. There are ${OLD}\\.`),
    });
  }
  assert.equal(await chooseBackup(damaged.origin, OLD), OLD);
  await assert.rejects(chooseBackup(damaged.origin, LEFTOVER), /There is no backup/);
  await assert.rejects(chooseBackup((await stored({})).origin, "latest"), /There is no backup yet/);
});

Deno.test("the newest backup is not one of the future: a clock that was wrong for a moment would hide all later ones", async () => {
  const future = "backup-29991231-030000";
  const { origin } = await stored({ [OLD]: manifestOf(OLD), [future]: manifestOf(future) });
  await assert.rejects(chooseBackup(origin, "latest"), {
    message: new RegExp(`${future}, is dated in the future`),
    hint: new RegExp(`--backup NAME.*${OLD}`),
  });
  assert.equal(await chooseBackup(origin, future), future);
});

Deno.test("a project's backups are looked for in the bucket that has the newest", async () => {
  const held: Record<string, string[]> = {
    photos: ["backup-of-cats.png"],
    backups: [OLD],
    elsewhere: [NEW, OLD],
    empty: [],
  };
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/storage/v1/bucket") {
      return Response.json(Object.keys(held).map((name) => ({ id: name, name })));
    }
    const { search, limit, sortBy } = await request.json();
    assert.deepEqual(sortBy, { column: "name", order: "desc" });
    const names = held[pathname.split("/").at(-1)!]!.filter((name) => name.startsWith(search));
    return Response.json(names.sort().toReversed().slice(0, limit).map((name) => ({ name })));
  });
  const project = { url: `http://127.0.0.1:${server.addr.port}`, secretKey: "sb_secret_x" };
  assert.equal(await findBucket(project), "elsewhere");
  held["elsewhere"] = [];
  assert.equal(await findBucket(project), "backups");
  held["backups"] = [];
  assert.equal(await findBucket(project), "backups", "the usual one, where there is none");
});
