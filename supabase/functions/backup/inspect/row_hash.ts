/** Hashes of rows, as two numbers each. */
import xxhash from "xxhash-wasm";
import type { Bits } from "./row_index.ts";

/** Writes the XXH64 of bytes into `bits`. */
export type HashRow = (bytes: Uint8Array, bits: Bits) => void;

export async function rowHash(): Promise<HashRow> {
  const { h64Raw } = await xxhash();
  const wide = new BigUint64Array(1);
  const narrow = new Uint32Array(wide.buffer);
  return (bytes, bits) => {
    wide[0] = h64Raw(bytes);
    bits.low = narrow[0]!;
    bits.high = narrow[1]!;
  };
}
