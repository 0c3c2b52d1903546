/**
 * Reads a stored backup again, whole: the manifest, every part's checksum, and the archive entry by entry.
 * Restores nothing.
 */
import {
  type Manifest,
  MANIFEST_NAME,
  type Part,
  readManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { COMPANIONS, hasLostManifest } from "../../supabase/functions/backup/manifest/companions.ts";
import { sha256Hex } from "../../supabase/functions/backup/storage/sha256.ts";
import { BackupError } from "../../supabase/functions/backup/errors.ts";
import { type Bucket, BucketError } from "../../supabase/functions/backup/storage/bucket.ts";
import { type Decrypt, decryptionOf } from "../source/decryption.ts";
import { checkStructure } from "./archive_structure.ts";
import type { Fault } from "./faults.ts";

export interface Verification {
  manifest: Manifest | null;
  faults: Fault[];
  /** What could not be looked at, because of a fault or for want of a key. */
  unchecked: string[];
  parts: number;
  bytes: number;
  rows: number;
}

export interface VerificationOptions {
  /** SHA-256 of the manifest that the log remembers, where it is known. */
  manifestSha256?: string;
  onProgress?: (done: number, expected: number, part: string) => void;
  /** Opens an encrypted backup. Without it the parts' checksums are compared, and not what is in them. */
  identityFile?: string | undefined;
}

/** Thrown through the archive's reader to end it: what is wrong is told already. */
class PartFault extends Error {}

/**
 * Names all faults of backup `name`. Throws what the bucket throws when it cannot be listed, and CommandError
 * for an identity that does not fit.
 */
export async function verifyBackup(
  bucket: Bucket,
  name: string,
  { manifestSha256, onProgress = () => {}, identityFile }: VerificationOptions = {},
): Promise<Verification> {
  const result: Verification = { manifest: null, faults: [], unchecked: [], parts: 0, bytes: 0, rows: 0 };
  const { faults } = result;
  const stored = new Map((await bucket.list(name)).map((object) => [object.name, object.bytes]));
  const manifest = await readTheManifest();
  if (manifest === null) {
    result.unchecked.push("parts and archive: there is no manifest to compare them with");
    return result;
  }
  result.manifest = manifest;
  for (const found of stored.keys()) {
    if (
      found === MANIFEST_NAME || COMPANIONS.has(found) || manifest.parts.some((part) => part.name === found)
    ) continue;
    faults.push({ code: "foreign_file", message: `${name}/${found} is not part of the backup` });
  }
  const left = [...manifest.parts];
  const { encryption } = manifest;
  const decrypt = identityFile === undefined ? null : await decryptionOf(manifest, identityFile);
  if (encryption !== undefined && decrypt === null) {
    const to = encryption.recipients.join(", ");
    result.unchecked.push(`what is in the parts: it is encrypted to ${to}; --identity FILE names the key`);
  } else {
    try {
      result.rows = await checkStructure(goodParts(), manifest, faults);
    } catch (error) {
      if (!(error instanceof PartFault)) throw error;
      result.unchecked.push("the archive's content behind the damaged part");
    }
  }
  // Whatever the archive says, each part is looked at.
  for (const part of left) await checkedPart(part);
  if (manifest.inventory !== undefined) await checkedPart(manifest.inventory);
  return result;

  async function readTheManifest(): Promise<Manifest | null> {
    if (!stored.has(MANIFEST_NAME)) {
      faults.push({
        code: "manifest_missing",
        message: `${name} has no ${MANIFEST_NAME}: ${
          stored.size === 0
            ? "there is no such backup"
            : hasLostManifest([...stored.keys()])
            ? "it was removed; `log --rebuild` makes it anew from the parts, which joined in name order are the archive"
            : "it is a leftover of a failed run, or not a backup"
        }`,
      });
      return null;
    }
    const bytes = await bucket.get(`${name}/${MANIFEST_NAME}`);
    try {
      const manifest = readManifest(bytes);
      if (manifest.name !== name) {
        faults.push({
          code: "manifest_of_another",
          message: `${name}/${MANIFEST_NAME} belongs to ${manifest.name}`,
        });
      }
      if (manifestSha256 !== undefined && await sha256Hex(bytes) !== manifestSha256) {
        faults.push({
          code: "manifest_changed",
          message: `${name}/${MANIFEST_NAME} differs from the one that backup.log recorded`,
        });
      }
      return manifest;
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      faults.push({ code: "manifest_invalid", message: `${name}/${error.message}` });
      return null;
    }
  }

  async function* goodParts(): AsyncGenerator<Uint8Array> {
    for (let part = left.shift(); part !== undefined; part = left.shift()) {
      const bytes = await checkedPart(part);
      if (bytes === null) throw new PartFault(part.name);
      yield decrypt === null ? bytes : await decrypted(decrypt, part, bytes);
    }
  }

  /** A part with the right checksum that does not open was wrong when it was stored, or is another key's. */
  async function decrypted(decrypt: Decrypt, { name: part }: Part, bytes: Uint8Array): Promise<Uint8Array> {
    try {
      return await decrypt(part, bytes);
    } catch (error) {
      faults.push({ code: "part_not_decrypted", message: (error as Error).message });
      throw new PartFault(part);
    }
  }

  /** Returns null for one with a fault, which is recorded. */
  async function checkedPart(part: Part): Promise<Uint8Array | null> {
    onProgress(result.bytes, manifest!.totals.storedBytes, part.name);
    if (part !== manifest!.inventory) result.parts++;
    const fault = (code: Fault["code"], message: string) => {
      faults.push({ code, message: `${name}/${part.name} ${message}` });
      return null;
    };
    if (!stored.has(part.name)) return fault("part_missing", "is missing");
    let bytes: Uint8Array;
    try {
      bytes = await bucket.get(`${name}/${part.name}`);
    } catch (error) {
      if (!(error instanceof BucketError)) throw error;
      return error.failure === "missing"
        ? fault("part_missing", "is listed, but its content is missing")
        : fault("part_unreadable", `cannot be read: ${error.message}`);
    }
    result.bytes += bytes.length;
    const sha256 = await sha256Hex(bytes);
    if (bytes.length === part.bytes && sha256 === part.sha256) return bytes;
    const size = `${bytes.length} bytes instead of ${part.bytes}`;
    const twin = manifest!.parts.find((other) => other.sha256 === sha256);
    if (twin) return fault("part_swapped", `has the content of ${twin.name}`);
    if (bytes.length === 0) return fault("part_empty", `is empty: ${size}`);
    if (bytes.every((byte) => byte === 0)) return fault("part_zeroed", "contains only zeros");
    if (isText(bytes)) return fault("part_replaced", `contains text, not a part of an archive: ${size}`);
    if (bytes.length < part.bytes) return fault("part_truncated", `is cut off: ${size}`);
    if (bytes.length > part.bytes) {
      const begins = await sha256Hex(bytes.subarray(0, part.bytes)) === part.sha256;
      return fault("part_too_long", `${begins ? "has bytes after its end" : "is another file"}: ${size}`);
    }
    return fault(
      "part_damaged",
      `has the right size but different content: SHA-256 ${sha256} instead of ${part.sha256}`,
    );
  }
}

/** An error's JSON or HTML that something stored in a part's place. */
function isText(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 64);
  return /^\s*[<{[]/.test(new TextDecoder().decode(head)) && head.every((byte) => byte >= 9 && byte < 127);
}
