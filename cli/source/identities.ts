/**
 * Reads identities, the secret halves of age's keys, from a file that `age-keygen` wrote. They are never
 * printed.
 */
import { Decrypter, identityToRecipient } from "age-encryption";
import { CommandError, reasonOf } from "../terminal/errors.ts";

export interface Identities {
  file: string;
  /** Their public halves. */
  recipients: string[];
  decrypter: Decrypter;
}

/** Throws CommandError for a file that is missing, holds something else, or is itself encrypted. */
export async function readIdentities(file: string): Promise<Identities> {
  const text = await Deno.readTextFile(file).catch((error) => {
    throw new CommandError(
      `Cannot read identity file "${file}": ${reasonOf(error)}`,
      "Name the file that age-keygen wrote, with --identity or BACKUP_AGE_IDENTITY_FILE.",
    );
  });
  if (/^(age-encryption\.org\/|-----BEGIN AGE)/.test(text)) {
    throw new CommandError(
      `Identity file "${file}" is itself encrypted`,
      `Decrypt it first: age -d -o key.txt ${file}`,
    );
  }
  const identities: Identities = { file, recipients: [], decrypter: new Decrypter() };
  for (const [index, line] of text.split("\n").map((line) => line.trim()).entries()) {
    if (line === "" || line.startsWith("#")) continue;
    try {
      identities.recipients.push(await identityToRecipient(line));
      identities.decrypter.addIdentity(line);
    } catch {
      const found = line.startsWith("age1") ? "a recipient, the public half of a key" : "not an age identity";
      throw new CommandError(
        `Line ${index + 1} of ${file} is ${found}`,
        "An identity is a line that begins with AGE-SECRET-KEY-1. Use the file as age-keygen wrote it.",
      );
    }
  }
  if (identities.recipients.length === 0) {
    throw new CommandError(
      `"${file}" contains no identity`,
      "An identity is a line that begins with AGE-SECRET-KEY-1.",
    );
  }
  return identities;
}
