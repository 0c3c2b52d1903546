/** Decrypts parts with an identity. */
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { commandLine } from "../terminal/called_as.ts";
import { CommandError } from "../terminal/errors.ts";
import { readIdentities } from "./identities.ts";

/**
 * Returns the decrypted bytes of a part. Throws CommandError for a damaged part, and where the identity does
 * not fit.
 */
export type Decrypt = (part: string, bytes: Uint8Array) => Promise<Uint8Array>;

/**
 * Returns what decrypts this backup with an identity of `file`; null for a backup that is not encrypted.
 * Throws CommandError where the file is not named, cannot be read, or holds no identity that the backup was
 * encrypted to.
 */
export async function decryptionOf(
  { name, encryption }: Manifest,
  file: string | undefined,
): Promise<Decrypt | null> {
  if (encryption === undefined) return null;
  const to = encryption.recipients.join(", ");
  if (file === undefined) {
    throw new CommandError(
      `Backup ${name} is encrypted to ${to}, and no identity is named`,
      "Name the file with the secret key: --identity FILE, or BACKUP_AGE_IDENTITY_FILE. Without it nobody can read this backup.",
    );
  }
  const { recipients, decrypter } = await readIdentities(file);
  if (!recipients.some((recipient) => encryption.recipients.includes(recipient))) {
    throw new CommandError(
      `Backup ${name} is encrypted to ${to}, and "${file}" contains the key of ${recipients.join(", ")}`,
      "Find the file whose line `# public key:` names one of the backup's. Without it nobody can read this backup.",
    );
  }
  return async (part, bytes) => {
    try {
      return await decrypter.decrypt(bytes);
    } catch (error) {
      throw new CommandError(
        `${name}/${part} cannot be decrypted: ${(error as Error).message}`,
        "The part was changed, or was encrypted to another key. Run " +
          `\`${commandLine("verify")}\` to see which parts are damaged, and use another backup (\`${
            commandLine("list")
          }\`).`,
      );
    }
  };
}
