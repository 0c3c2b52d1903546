/** Identities: the secret halves of age's keys, from a file as `age-keygen` writes it. They are never printed. */
import { Decrypter, identityToRecipient } from "age-encryption";
import { CommandError } from "../terminal.ts";

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
      `The identity file ${file} cannot be read: ${error.message}`,
      "Name the file that age-keygen wrote, with --identity or BACKUP_AGE_IDENTITY_FILE.",
    );
  });
  if (/^(age-encryption\.org\/|-----BEGIN AGE)/.test(text)) {
    throw new CommandError(
      `The identity file ${file} is itself encrypted`,
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
      const found = line.startsWith("age1") ? "a recipient, the public half of a key" : "no identity of age";
      throw new CommandError(
        `Line ${index + 1} of ${file} is ${found}`,
        "Identities are lines that begin with AGE-SECRET-KEY-1, whole and as age-keygen wrote them.",
      );
    }
  }
  if (identities.recipients.length === 0) {
    throw new CommandError(
      `${file} holds no identity`,
      "Identities are lines that begin with AGE-SECRET-KEY-1.",
    );
  }
  return identities;
}
