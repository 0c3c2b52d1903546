/** Files of identities: which are taken, and what is said of the others. Nothing secret is repeated. */
import assert from "node:assert/strict";
import { generateHybridIdentity, generateIdentity, identityToRecipient } from "age-encryption";
import { decryptionOf } from "../../cli/source/decryption.ts";
import { refuseEncrypted } from "../../cli/source/decrypt_archive.ts";
import { readIdentities } from "../../cli/source/identities.ts";
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";

async function inFile<T>(text: string, use: (file: string) => Promise<T>): Promise<T> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, text);
    return await use(file);
  } finally {
    await Deno.remove(file);
  }
}

const KEYS = [await generateIdentity(), await generateHybridIdentity(), await generateIdentity()];
const RECIPIENTS = await Promise.all(KEYS.map(identityToRecipient));

Deno.test("[encryption] a file of several identities, with comments and empty lines, is read", async () => {
  const text = `# created: today\r\n# public key: ${RECIPIENTS[0]}\r\n${KEYS[0]}\r\n\r\n${KEYS[1]}\n  ${
    KEYS[2]
  }  `;
  assert.deepEqual((await inFile(text, readIdentities)).recipients, RECIPIENTS);
});

Deno.test("[encryption] a file that holds something else is refused, with the line and without its content", async () => {
  const cut = KEYS[0]!.slice(0, -1);
  const wrong: [string, RegExp][] = [
    ["", /contains no identity/],
    ["# nothing else\n", /contains no identity/],
    [`${KEYS[0]}\n${cut}`, /Line 2 of .* is not an age identity/],
    [RECIPIENTS[0]!, /Line 1 of .* is a recipient, the public half/],
    ["-----BEGIN AGE ENCRYPTED FILE-----\nYWdl", /is itself encrypted/],
    ["age-encryption.org/v1\n-> scrypt a 18\n", /is itself encrypted/],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\nsecret", /Line 1 of .* is not an age identity/],
  ];
  for (const [text, message] of wrong) {
    await assert.rejects(inFile(text, readIdentities), (error: Error & { hint: string }) => {
      assert.match(error.message, message);
      const said = error.message + error.hint;
      assert.ok(!said.includes(cut.slice(-20)) && !said.includes("secret\n"), "nothing secret is said");
      return true;
    });
  }
  await assert.rejects(
    readIdentities("/nowhere/key.txt"),
    /Cannot read identity file "\/nowhere\/key\.txt": No such file or directory/,
  );
});

Deno.test("[encryption] one of the identities is enough, and a backup that is not encrypted needs none", async () => {
  const manifest = (recipients: string[]) =>
    ({ name: "backup-1", encryption: { format: "age", recipients } }) as unknown as Manifest;
  await inFile(`${KEYS[0]}\n${KEYS[2]}`, async (file) => {
    assert.notEqual(await decryptionOf(manifest([RECIPIENTS[2]!, "age1another"]), file), null);
    await assert.rejects(
      decryptionOf(manifest(["age1another"]), file),
      /encrypted to age1another, and .* contains/,
    );
  });
  assert.equal(await decryptionOf({ name: "backup-1" } as Manifest, "/nowhere"), null);
});

Deno.test("[encryption] a single part is not taken for an archive", async () => {
  await assert.rejects(inFile("age-encryption.org/v1\n-> X25519 a\n", refuseEncrypted), /is encrypted/);
  await inFile("PGDMP and more", refuseEncrypted);
  await inFile("", refuseEncrypted);
});
