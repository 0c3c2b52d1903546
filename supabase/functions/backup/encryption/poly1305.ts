/** Poly1305 (RFC 8439, 2.5): a tag that only who has the key can make, of messages in whole blocks of 16 bytes. */

/** Numbers of 130 bits are six limbs of 22: sums of six products of two limbs are exact in a double, also times what wraps. */
const LIMB = 2 ** 22;
const CARRY = 1 / LIMB;
const MASK = LIMB - 1;

/** What overflows the six limbs comes in again below: 2^132 is 20 modulo the prime 2^130 - 5. */
const WRAP = 20;
const WRAP_CARRY = WRAP / LIMB;
const PRIME = 2n ** 130n - 5n;

/** A double of this size has no bits below 2^22: to add and take it away again rounds to multiples of a limb. */
const ROUND = 1.5 * LIMB * 2 ** 52;

const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

export class Poly1305 {
  readonly #factor: number[];
  readonly #added: bigint;
  #sum: number[] = [0, 0, 0, 0, 0, 0];

  /** `key` has 32 bytes, for one message. */
  constructor(key: Uint8Array) {
    this.#factor = limbs(numberOf(key.subarray(0, 16)) & CLAMP);
    this.#added = numberOf(key.subarray(16));
  }

  /** Whole blocks of 16 bytes, which begin at a multiple of four of their buffer. */
  update(blocks: Uint8Array): void {
    const words = new Int32Array(blocks.buffer, blocks.byteOffset, blocks.length / 4);
    const [r0, r1, r2, r3, r4, r5] = this.#factor as Limbs;
    const [, w1, w2, w3, w4, w5] = this.#factor.map((limb) => limb * WRAP) as Limbs;
    let [h0, h1, h2, h3, h4, h5] = this.#sum as Limbs;
    for (let at = 0; at < words.length; at += 4) {
      const [t0, t1, t2, t3] = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!];
      h0 += t0 & MASK;
      h1 += t0 >>> 22 | (t1 & 0xfff) << 10;
      h2 += t1 >>> 12 | (t2 & 3) << 20;
      h3 += t2 >>> 2 & MASK;
      h4 += t2 >>> 24 | (t3 & 0x3fff) << 8;
      // A block counts as 17 bytes, the last of them 1.
      h5 += t3 >>> 14 | 1 << 18;
      let d0 = h0 * r0 + h1 * w5 + h2 * w4 + h3 * w3 + h4 * w2 + h5 * w1;
      let d1 = h0 * r1 + h1 * r0 + h2 * w5 + h3 * w4 + h4 * w3 + h5 * w2;
      let d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * w5 + h4 * w4 + h5 * w3;
      let d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * w5 + h5 * w4;
      let d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0 + h5 * w5;
      let d5 = h0 * r5 + h1 * r4 + h2 * r3 + h3 * r2 + h4 * r1 + h5 * r0;
      // Every limb hands on what is above its 22 bits, all at once; after the second time little is.
      const a0 = d0 + ROUND - ROUND;
      const a1 = d1 + ROUND - ROUND;
      const a2 = d2 + ROUND - ROUND;
      const a3 = d3 + ROUND - ROUND;
      const a4 = d4 + ROUND - ROUND;
      const a5 = d5 + ROUND - ROUND;
      d0 += a5 * WRAP_CARRY - a0;
      d1 += a0 * CARRY - a1;
      d2 += a1 * CARRY - a2;
      d3 += a2 * CARRY - a3;
      d4 += a3 * CARRY - a4;
      d5 += a4 * CARRY - a5;
      const b0 = d0 + ROUND - ROUND;
      const b1 = d1 + ROUND - ROUND;
      const b2 = d2 + ROUND - ROUND;
      const b3 = d3 + ROUND - ROUND;
      const b4 = d4 + ROUND - ROUND;
      const b5 = d5 + ROUND - ROUND;
      d0 += b5 * WRAP_CARRY - b0;
      d1 += b0 * CARRY - b1;
      d2 += b1 * CARRY - b2;
      d3 += b2 * CARRY - b3;
      d4 += b3 * CARRY - b4;
      d5 += b4 * CARRY - b5;
      [h0, h1, h2, h3, h4, h5] = [d0, d1, d2, d3, d4, d5];
    }
    this.#sum = [h0, h1, h2, h3, h4, h5];
  }

  /** 16 bytes. */
  tag(): Uint8Array {
    const sum = this.#sum.reduce((total, limb, index) => total + (BigInt(limb) << BigInt(22 * index)), 0n);
    // Limbs are rounded to the nearest, so some are below zero.
    const tag = (sum % PRIME + PRIME) % PRIME + this.#added;
    return Uint8Array.from({ length: 16 }, (_, index) => Number(tag >> BigInt(8 * index) & 0xffn));
  }
}

type Limbs = [number, number, number, number, number, number];

function limbs(value: bigint): number[] {
  return Array.from({ length: 6 }, (_, index) => Number(value >> BigInt(22 * index) & BigInt(MASK)));
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => value << 8n | BigInt(byte), 0n);
}
