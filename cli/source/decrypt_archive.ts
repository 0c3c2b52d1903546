/** Makes an archive of its encrypted parts. */
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { CommandError } from "../terminal/errors.ts";
import type { Decrypt } from "./decryption.ts";

/**
 * Decrypts `encrypted`, which holds the parts of a backup one after the other, into `path`, and removes it.
 * Throws CommandError for a part that cannot be decrypted; then `path` does not exist.
 */
export async function decryptArchive(
  { parts }: Manifest,
  decrypt: Decrypt,
  encrypted: string,
  path: string,
): Promise<void> {
  const partial = `${path}.partial`;
  {
    using from = await Deno.open(encrypted);
    // Only its owner may read it: it holds everything.
    using to = await Deno.open(partial, { write: true, create: true, truncate: true, mode: 0o600 });
    for (const { name, bytes } of parts) {
      const plain = await decrypt(name, await readWhole(from, bytes));
      for (let sent = 0; sent < plain.length;) sent += await to.write(plain.subarray(sent));
    }
  }
  await Deno.rename(partial, path);
  await Deno.remove(encrypted);
}

/** Throws CommandError for an archive that is encrypted. */
export async function refuseEncrypted(path: string): Promise<void> {
  using file = await Deno.open(path);
  const begin = "age-encryption.org/v1";
  const read = new Uint8Array(begin.length);
  await file.read(read);
  if (new TextDecoder().decode(read) !== begin) return;
  throw new CommandError(
    `${path} is encrypted`,
    "Name the backup's whole folder and --identity FILE, or decrypt it first: age -d -i FILE -o archive.dump " +
      path,
  );
}

async function readWhole(file: Deno.FsFile, bytes: number): Promise<Uint8Array> {
  const whole = new Uint8Array(bytes);
  for (let filled = 0; filled < bytes;) {
    const read = await file.read(whole.subarray(filled));
    if (read === null) throw new Error(`the file ends ${bytes - filled} bytes too early`);
    filled += read;
  }
  return whole;
}
