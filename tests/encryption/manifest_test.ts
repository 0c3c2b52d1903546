/** The manifest and the notes of an encrypted backup. */
import assert from "node:assert/strict";
import {
  type Manifest,
  readManifest,
  writeManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { restoreNotes } from "../../supabase/functions/backup/restore_guide/restore_notes.ts";

const MANIFEST: Manifest = {
  formatVersion: 1,
  name: "backup-20261122-030000",
  createdAt: "2026-11-22T03:01:30.000Z",
  snapshotAt: "2026-11-22 03:00:01+00",
  run: { id: 7, trigger: "scheduled", attempt: 1 },
  server: { version: "15.8", database: "postgres" },
  archive: { format: "PGDMP 1.14", level: 4, entries: 12 },
  encryption: { format: "age", recipients: ["age1one", "age1two"] },
  totals: { tables: 0, rows: 0, rawBytes: 0, storedBytes: 100, parts: 1 },
  tables: [],
  parts: [{ name: "00000.dump.age", bytes: 100, sha256: "a".repeat(64) }],
  warnings: [],
};

Deno.test("[encryption] the manifest keeps the recipients", () => {
  assert.deepEqual(readManifest(writeManifest(MANIFEST)), MANIFEST);
});

Deno.test("[encryption] a manifest whose parts are not what it says of encryption is refused", () => {
  const named = (name: string): Manifest => ({ ...MANIFEST, parts: [{ ...MANIFEST.parts[0]!, name }] });
  const plain: Manifest = { ...named("00000.dump"), encryption: undefined };
  assert.equal(readManifest(writeManifest(plain)).encryption, undefined);
  for (const wrong of [named("00000.dump"), { ...MANIFEST, encryption: undefined }]) {
    assert.throws(() => writeManifest(wrong), {
      code: "manifest_invalid",
      message: /encryption says otherwise/,
    });
  }
});

Deno.test("[encryption] the notes name the recipients and decrypt before they join", () => {
  const notes = restoreNotes(MANIFEST, []);
  assert.match(notes, /encrypted with age \(https:\/\/age-encryption\.org\) to age1one and age1two/);
  assert.match(notes, /--backup backup-20261122-030000 --identity KEY`/);
  assert.match(notes, /age -d -i KEY "\$part" \|\| break; done > backup-20261122-030000\.dump\n/);
  const plain = restoreNotes({ ...MANIFEST, encryption: undefined }, []);
  assert.match(plain, /^cat \[0-9\]\*\.dump > /m);
  assert.ok(!/\bage\b|KEY\b/.test(plain), plain);
});
