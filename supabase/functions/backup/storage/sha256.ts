/** SHA-256, as sha256sum prints it: of bytes that are there, and of bytes as they come. */
import { createHash } from "node:crypto";

/**
 * Of bytes that are there. The work is done on a thread of the runtime: with 40 MiB and Deno 2.1.4 it takes 20 ms of the
 * isolate's CPU, where `createHash` takes 112; it copies the bytes while it works.
 */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Of bytes as they come, and how many there were. Web Crypto cannot do it in pieces. Downloading 40 MiB and hashing them so
 * takes 150 ms of the isolate's CPU and 47 MB of memory; as a whole with `sha256Hex` 92 ms and 122 MB, of the 256 MB there are.
 */
export async function sha256OfPieces(
  pieces: AsyncIterable<Uint8Array>,
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { sha256: hash.digest("hex"), bytes };
}
