/**
 * Reads recipients: the public keys that a backup is encrypted to. They are age's X25519 recipients
 * (https://age-encryption.org/v1), `age1…` in Bech32 (BIP 173), as `age-keygen` prints them.
 */
import { bech32 } from "@scure/base";
import { BackupError } from "../errors.ts";

export interface Recipient {
  /** As it was written. */
  text: string;
  /** A point of Curve25519, 32 bytes. */
  key: Uint8Array;
}

/** Each recipient adds a stanza to every part's header. */
const MOST = 8;

const PREFIX = "age1";
const CHARACTERS = /^[02-9ac-hj-np-z]*$/;
/** Of the prefix, 32 bytes and a checksum. */
const LENGTH = 62;

/**
 * Reads the setting `recipient`: one, or several separated by commas. Throws BackupError `not_configured`, which names
 * the invalid one.
 */
export function readRecipients(setting: string): Recipient[] {
  const texts = setting.split(",").map((text) => text.trim());
  if (texts.length > MOST) throw wrong(`it names ${texts.length} recipients`, `Use at most ${MOST}.`);
  return texts.map((text) => ({ text, key: readRecipient(text) }));
}

function readRecipient(text: string): Uint8Array {
  if (/^AGE-SECRET-KEY-/i.test(text)) {
    throw wrong(
      "it is an identity, the secret half of a key",
      "The database and its logs have seen it. Create another key, and configure its public half, age1….",
    );
  }
  const shown = `"${text.length > LENGTH ? `${text.slice(0, 20)}…` : text}"`;
  if (!text.startsWith(PREFIX)) {
    throw wrong(
      `"${text}" does not begin with age1`,
      "age-keygen prints recipients; SSH keys are not taken.",
    );
  }
  if (!CHARACTERS.test(text.slice(PREFIX.length))) {
    throw wrong(
      `${shown} has characters that are not valid in a recipient`,
      "Use the recipient of an X25519 key; plugins and post-quantum keys are not supported.",
    );
  }
  if (text.length !== LENGTH) {
    throw wrong(
      `${shown} has ${text.length} characters, not ${LENGTH}`,
      "Copy the whole line that age-keygen prints.",
    );
  }
  const decoded = bech32.decodeUnsafe(text);
  const key = decoded && bech32.fromWordsUnsafe(decoded.words);
  if (!key) {
    throw wrong(
      `${shown} is mistyped: its checksum is wrong`,
      "Copy it again from the output of age-keygen.",
    );
  }
  return key;
}

function wrong(what: string, hint: string): BackupError {
  return new BackupError("not_configured", `Invalid setting recipient: ${what}`, hint);
}
