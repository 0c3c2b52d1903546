/** Adler-32 (RFC 1950, 8.2), of bytes as they come and of parts that were summed apart. */

const BASE = 65521;

/** Most bytes after which the sums still fit 31 bits, so that the division can wait; a multiple of the unrolling. */
const LONGEST_RUN = 3800;

/** The checksum of nothing. */
export const ADLER_OF_NOTHING = 1;

/** `checksum` continued over `bytes`, as an unsigned 32-bit number. */
export function adler32(bytes: Uint8Array, checksum = ADLER_OF_NOTHING): number {
  let low = checksum & 0xffff;
  let high = checksum >>> 16;
  let position = 0;
  while (position < bytes.length) {
    const end = Math.min(position + LONGEST_RUN, bytes.length);
    // Unrolled: one addition a byte is a tenth of the cost of compressing it, and a plain loop a quarter.
    for (; position + 8 <= end; position += 8) {
      high += low += bytes[position]!;
      high += low += bytes[position + 1]!;
      high += low += bytes[position + 2]!;
      high += low += bytes[position + 3]!;
      high += low += bytes[position + 4]!;
      high += low += bytes[position + 5]!;
      high += low += bytes[position + 6]!;
      high += low += bytes[position + 7]!;
    }
    for (; position < end; position++) high += low += bytes[position]!;
    low %= BASE;
    high %= BASE;
  }
  return ((high << 16) | low) >>> 0;
}

/** As manifests have it: eight hexadecimal digits. */
export function adlerText(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}

/**
 * The checksum of two runs of bytes, one behind the other, from the checksums of each and the length of the second.
 * With low(x) = 1 + Σ bytes, every byte of the second run also sees low(first) - 1 in each of its sums.
 */
export function combineAdler32(first: number, second: number, secondBytes: number): number {
  const lowFirst = first & 0xffff;
  const low = (lowFirst + (second & 0xffff) + BASE - 1) % BASE;
  const carried = ((secondBytes % BASE) * ((lowFirst + BASE - 1) % BASE)) %
    BASE;
  const high = ((first >>> 16) + (second >>> 16) + carried) % BASE;
  return ((high << 16) | low) >>> 0;
}
