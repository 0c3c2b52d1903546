/** What we encrypt is what age's own library decrypts; the same part twice is the same bytes. */
import assert from "node:assert/strict";
import { Decrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { fileBytes, payloadOf } from "../../supabase/functions/backup/encryption/age_file.ts";
import { Encryption } from "../../supabase/functions/backup/encryption/encryption.ts";
import { readRecipients } from "../../supabase/functions/backup/encryption/recipients.ts";

const CHUNK = 65_536;
const SIZES = [1, 15, 16, 17, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5];
const SECRET = crypto.getRandomValues(new Uint8Array(32));

const identities = await Promise.all([1, 2, 3].map(() => generateIdentity()));
const recipients = await Promise.all(identities.map(identityToRecipient));

function encryptionTo(list: readonly string[], secret = SECRET): Encryption {
  return new Encryption(readRecipients(list.join(",")), () => Promise.resolve(secret));
}

function random(bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += CHUNK) crypto.getRandomValues(all.subarray(at, at + CHUNK));
  return all;
}

async function decrypted(file: Uint8Array, identity: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return await decrypter.decrypt(file);
}

Deno.test("[encryption] age's library decrypts what is encrypted, of every size, for each recipient", async () => {
  for (const count of [1, 2, 3]) {
    const encryption = encryptionTo(recipients.slice(0, count));
    for (const size of SIZES) {
      const plain = random(size);
      const file = await encryption.encryptCopy("backup-1/00001.dump.age", plain);
      assert.equal(file.length, fileBytes(size, count));
      assert.equal(encryption.capacity(file.length), size, "what a file holds shows in its size");
      for (const identity of identities.slice(0, count)) {
        assert.deepEqual(await decrypted(file, identity), plain, `${size} bytes, ${count} recipients`);
      }
    }
    await assert.rejects(
      decrypted(await encryption.encryptCopy("a", random(9)), await generateIdentity()),
      /no identity matched/,
    );
  }
});

Deno.test("[encryption] a part is encrypted where it lies, wherever that is", async () => {
  const encryption = encryptionTo(recipients.slice(0, 2));
  const plain = random(2 * CHUNK + 100);
  for (const offset of [0, 1, 2, 3]) {
    const room = new Uint8Array(offset + plain.length + encryption.spare(plain.length)).subarray(offset);
    room.set(plain);
    const file = await encryption.encrypt("a", room, plain.length);
    assert.equal(file.buffer, room.buffer);
    assert.deepEqual(await decrypted(file, identities[0]!), plain);
  }
});

Deno.test("[encryption] the same part is the same bytes; another place, content, secret or recipient shares no key", async () => {
  const encryption = encryptionTo(recipients.slice(0, 1));
  const plain = random(1000);
  const file = await encryption.encryptCopy("backup-1/00001.dump.age", plain);
  assert.deepEqual(
    await encryptionTo(recipients.slice(0, 1)).encryptCopy("backup-1/00001.dump.age", plain),
    file,
  );
  const changed = plain.slice();
  changed[999]! ^= 1;
  const others = await Promise.all([
    encryption.encryptCopy("backup-1/00002.dump.age", plain),
    encryption.encryptCopy("backup-1-2/00001.dump.age", plain),
    encryption.encryptCopy("backup-1/00001.dump.age", changed),
    encryptionTo(recipients.slice(0, 1), random(32)).encryptCopy("backup-1/00001.dump.age", plain),
    encryptionTo([recipients[1]!]).encryptCopy("backup-1/00001.dump.age", plain),
  ]);
  const secrets = (of: Uint8Array) => {
    const header = new TextDecoder().decode(of.subarray(0, 168));
    // The ephemeral share, the file key as wrapped, the payload's nonce and first bytes.
    return [/X25519 (\S+)/.exec(header)![1], header.split("\n")[2], of.slice(168, 184), of.slice(184, 200)];
  };
  const seen = [file, ...others].map(secrets);
  for (let which = 0; which < 4; which++) {
    assert.equal(new Set(seen.map((one) => String(one[which]))).size, seen.length);
  }
});

Deno.test("[encryption] a part fills an object of the size that is allowed, and is never larger", () => {
  for (const count of [1, 2, 8]) {
    for (const bytes of [65_536, 65_537, 131_300, 1_000_000, 41_943_040, 50_000_000]) {
      const plain = payloadOf(bytes, count);
      assert.ok(fileBytes(plain, count) <= bytes, `${bytes}`);
      // One byte more is too much; where it would begin a chunk, its tag is.
      assert.ok(fileBytes(plain + 1, count) > bytes, `${bytes}`);
    }
  }
});

Deno.test("[encryption] a file that was changed, cut or put together anew is not decrypted", async () => {
  const file = await encryptionTo([recipients[0]!]).encryptCopy("a", random(3 * CHUNK));
  const flipped = (at: number) => file.map((byte, index) => index === at ? byte ^ 1 : byte);
  const chunk = (n: number) => file.slice(184 + n * (CHUNK + 16), 184 + (n + 1) * (CHUNK + 16));
  const damaged: Record<string, Uint8Array> = {
    "a bit of the payload": flipped(5000),
    "a bit of the last tag": flipped(file.length - 1),
    "a bit of the nonce": flipped(170),
    "a bit of the header's end": flipped(130),
    "cut between chunks": file.slice(0, 184 + 2 * (CHUNK + 16)),
    "chunks exchanged": new Uint8Array([...file.slice(0, 184), ...chunk(1), ...chunk(0), ...chunk(2)]),
  };
  for (const [what, bytes] of Object.entries(damaged)) {
    await assert.rejects(decrypted(bytes, identities[0]!), what);
  }
});
