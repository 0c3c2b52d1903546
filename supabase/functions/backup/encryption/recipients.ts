/**
 * Recipients: the public keys that a backup is encrypted to. They are age's X25519 recipients (https://age-encryption.org/v1),
 * `age1…` in Bech32 (BIP 173), as `age-keygen` prints them.
 */
import { BackupError } from "../errors.ts";

export interface Recipient {
  /** As it was written. */
  text: string;
  /** A point of Curve25519, 32 bytes. */
  key: Uint8Array;
}

/** Each recipient adds a stanza to every part's header. */
const MOST = 8;

const PREFIX = "age";
const CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM_LENGTH = 6;

/** Reads the setting `recipient`: one, or several divided by commas. Throws BackupError `not_configured`, which names the wrong one. */
export function readRecipients(setting: string): Recipient[] {
  const texts = setting.split(",").map((text) => text.trim());
  if (texts.length > MOST) throw wrong(`it names ${texts.length} recipients`, `At most ${MOST} are taken.`);
  return texts.map((text) => ({ text, key: readRecipient(text) }));
}

function readRecipient(text: string): Uint8Array {
  if (/^AGE-SECRET-KEY-/i.test(text)) {
    throw wrong(
      "it is an identity, the secret half of a key",
      "It has been in the database and its logs: make another key, and configure its public half, age1….",
    );
  }
  const shown = `"${text.length > 62 ? `${text.slice(0, 20)}…` : text}"`;
  if (!text.startsWith(`${PREFIX}1`)) {
    throw wrong(
      `"${text}" does not begin with age1`,
      "age-keygen prints recipients; SSH keys are not taken.",
    );
  }
  const values = Array.from(text.slice(PREFIX.length + 1), (character) => CHARACTERS.indexOf(character));
  if (values.includes(-1)) {
    throw wrong(
      `${shown} has characters that no recipient has`,
      "Recipients of X25519 keys are taken; those of plugins and post-quantum keys are not.",
    );
  }
  const key = bytesOf(values.slice(0, -CHECKSUM_LENGTH));
  if (key === null || key.length !== 32) {
    throw wrong(
      `${shown} has ${text.length} characters, not 62`,
      "Copy the whole line that age-keygen prints.",
    );
  }
  if (checksum([...expandedPrefix(), ...values]) !== 1) {
    throw wrong(`${shown} is mistyped: its checksum is wrong`, "Copy it again from age-keygen's output.");
  }
  return key;
}

/** BIP 173: the prefix takes part in the checksum. */
function expandedPrefix(): number[] {
  const codes = Array.from(PREFIX, (character) => character.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

/** BIP 173: a polynomial's remainder, 1 for a text that is whole. */
function checksum(values: number[]): number {
  const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
  return values.reduce((remainder, value) => {
    const shifted = (remainder & 0x1ffffff) << 5 ^ value;
    return generator.reduce((sum, term, bit) => remainder >> 25 + bit & 1 ? sum ^ term : sum, shifted);
  }, 1);
}

/** Groups of five bits as bytes; null where bits that belong to no byte are not zero. */
function bytesOf(values: number[]): Uint8Array | null {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const value of values) {
    held = held << 5 | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(held >> bits);
    held &= (1 << bits) - 1;
  }
  return bits < 5 && held === 0 ? new Uint8Array(bytes) : null;
}

function wrong(what: string, hint: string): BackupError {
  return new BackupError("not_configured", `The setting recipient cannot be used: ${what}`, hint);
}
