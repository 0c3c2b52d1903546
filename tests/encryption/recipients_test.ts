/** Which recipients are taken, and what is said of the others. */
import assert from "node:assert/strict";
import { generateHybridIdentity, generateIdentity, identityToRecipient } from "age-encryption";
import { Encryption } from "../../supabase/functions/backup/encryption/encryption.ts";
import { readRecipients } from "../../supabase/functions/backup/encryption/recipients.ts";

const RECIPIENT = await identityToRecipient(await generateIdentity());

/** Bech32 of 32 zero bytes: a point of low order. */
const ZEROS = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z";

Deno.test("[encryption] recipients are read, one or several", async () => {
  for (let round = 0; round < 20; round++) {
    const text = await identityToRecipient(await generateIdentity());
    assert.equal(readRecipients(text)[0]!.text, text);
  }
  assert.deepEqual(readRecipients(`${RECIPIENT}, ${RECIPIENT}`).map(({ text }) => text), [
    RECIPIENT,
    RECIPIENT,
  ]);
});

Deno.test("[encryption] what is not a recipient is refused, and the message says why", async () => {
  const wrong: [string, RegExp][] = [
    [RECIPIENT.slice(0, -1) + (RECIPIENT.endsWith("q") ? "p" : "q"), /mistyped: its checksum is wrong/],
    [RECIPIENT.slice(0, -1), /has 61 characters, not 62/],
    [RECIPIENT.toUpperCase(), /does not begin with age1/],
    [`${RECIPIENT},`, /"" does not begin with age1/],
    [`age1b${RECIPIENT.slice(5)}`, /characters that are not valid in a recipient/],
    ["ssh-ed25519 AAAA", /does not begin with age1/],
    [
      await identityToRecipient(await generateHybridIdentity()),
      /"age1pq1.{13}…" has characters that are not valid in a recipient/,
    ],
    [Array(9).fill(RECIPIENT).join(","), /names 9 recipients/],
  ];
  for (const [setting, message] of wrong) {
    assert.throws(() => readRecipients(setting), { code: "not_configured", message });
  }
});

Deno.test("[encryption] an identity in the recipient's place is refused and not repeated", async () => {
  const identity = await generateIdentity();
  assert.throws(
    () => readRecipients(identity),
    (error: Error) => /identity, the secret half/.test(error.message) && !error.message.includes(identity),
  );
});

Deno.test("[encryption] a recipient that every key agrees with is refused", async () => {
  const encryption = new Encryption(readRecipients(ZEROS), () => Promise.resolve(new Uint8Array(32)));
  await assert.rejects(encryption.encryptCopy("a", new Uint8Array(1)), {
    code: "not_configured",
    message: /is not a public key/,
  });
});
