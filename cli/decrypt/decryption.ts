/** Reads encrypted parts again, with the identity of a person. */
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { CommandError } from "../terminal.ts";
import { readIdentities } from "./identities.ts";

/** The bytes of a part as they were before encryption. Throws CommandError for one that the identity does not open, or that is damaged. */
export type Decrypt = (part: string, bytes: Uint8Array) => Promise<Uint8Array>;

/** The file that was named, by option or environment. */
export function identityFile(option: string | undefined): string | undefined {
  return option ?? Deno.env.get("BACKUP_AGE_IDENTITY_FILE");
}

/**
 * What decrypts the parts of this backup with an identity of `file`; null for a backup that is not encrypted. Throws CommandError
 * where the file is not named, cannot be read, or holds no identity that the backup was encrypted to.
 */
export async function decryptionOf(
  { name, encryption }: Manifest,
  file: string | undefined,
): Promise<Decrypt | null> {
  if (encryption === undefined) return null;
  const to = encryption.recipients.join(", ");
  if (file === undefined) {
    throw new CommandError(
      `${name} is encrypted to ${to}, and no identity was named`,
      "Name the file with the secret half of this key: --identity FILE, or BACKUP_AGE_IDENTITY_FILE. Without it nobody can read this backup.",
    );
  }
  const { recipients, decrypter } = await readIdentities(file);
  if (!recipients.some((recipient) => encryption.recipients.includes(recipient))) {
    throw new CommandError(
      `${name} is encrypted to ${to}, and ${file} holds the key of ${recipients.join(", ")}`,
      "Look for the file whose line `# public key:` names one of the backup's. Without it nobody can read this backup.",
    );
  }
  return async (part, bytes) => {
    try {
      return await decrypter.decrypt(bytes);
    } catch (error) {
      throw new CommandError(
        `${name}/${part} cannot be decrypted: ${(error as Error).message}`,
        "It is not what was encrypted, or was encrypted to another key: `npm run verify` says more. Take another backup (npm run list).",
      );
    }
  };
}
