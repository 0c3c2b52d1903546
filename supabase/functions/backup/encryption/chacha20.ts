/** ChaCha20 (RFC 8439, 2.4). Words are little-endian, as every processor is that the runtime runs on. */

/** "expand 32-byte k" */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];

export class ChaCha20 {
  /** Constants, key, number of the next block, nonce. */
  readonly #state: Int32Array;

  /** `key` has 32 bytes, `nonce` 12. The first block's number is 0. */
  constructor(key: Uint8Array, nonce: Uint8Array) {
    this.#state = new Int32Array([...CONSTANTS, ...words(key.slice()), 0, ...words(nonce.slice())]);
  }

  /**
   * Encrypts in place with the next blocks of the stream; what is left of the last block is not used any more. The bytes begin at
   * a multiple of four of their buffer.
   */
  encrypt(bytes: Uint8Array): void {
    const whole = bytes.length - bytes.length % 64;
    encryptBlocks(this.#state, words(bytes.subarray(0, whole)));
    if (whole === bytes.length) return;
    const last = new Uint8Array(64);
    last.set(bytes.subarray(whole));
    encryptBlocks(this.#state, words(last));
    bytes.set(last.subarray(0, bytes.length - whole), whole);
  }
}

type Words = [
  ...[number, number, number, number, number, number, number, number],
  ...[number, number, number, number, number, number, number, number],
];

function words(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** Ten double rounds a block: four quarter rounds on columns, four on diagonals. In local variables, which stay in registers. */
function encryptBlocks(state: Int32Array, words: Int32Array): void {
  const [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, , s13, s14, s15] = [...state] as Words;
  for (let at = 0; at < words.length; at += 16) {
    const s12 = state[12]!++;
    let x0 = s0, x1 = s1, x2 = s2, x3 = s3;
    let x4 = s4, x5 = s5, x6 = s6, x7 = s7;
    let x8 = s8, x9 = s9, x10 = s10, x11 = s11;
    let x12 = s12, x13 = s13, x14 = s14, x15 = s15;
    for (let round = 0; round < 10; round++) {
      x0 = (x0 + x4) | 0;
      x12 ^= x0;
      x12 = x12 << 16 | x12 >>> 16;
      x8 = (x8 + x12) | 0;
      x4 ^= x8;
      x4 = x4 << 12 | x4 >>> 20;
      x0 = (x0 + x4) | 0;
      x12 ^= x0;
      x12 = x12 << 8 | x12 >>> 24;
      x8 = (x8 + x12) | 0;
      x4 ^= x8;
      x4 = x4 << 7 | x4 >>> 25;
      x1 = (x1 + x5) | 0;
      x13 ^= x1;
      x13 = x13 << 16 | x13 >>> 16;
      x9 = (x9 + x13) | 0;
      x5 ^= x9;
      x5 = x5 << 12 | x5 >>> 20;
      x1 = (x1 + x5) | 0;
      x13 ^= x1;
      x13 = x13 << 8 | x13 >>> 24;
      x9 = (x9 + x13) | 0;
      x5 ^= x9;
      x5 = x5 << 7 | x5 >>> 25;
      x2 = (x2 + x6) | 0;
      x14 ^= x2;
      x14 = x14 << 16 | x14 >>> 16;
      x10 = (x10 + x14) | 0;
      x6 ^= x10;
      x6 = x6 << 12 | x6 >>> 20;
      x2 = (x2 + x6) | 0;
      x14 ^= x2;
      x14 = x14 << 8 | x14 >>> 24;
      x10 = (x10 + x14) | 0;
      x6 ^= x10;
      x6 = x6 << 7 | x6 >>> 25;
      x3 = (x3 + x7) | 0;
      x15 ^= x3;
      x15 = x15 << 16 | x15 >>> 16;
      x11 = (x11 + x15) | 0;
      x7 ^= x11;
      x7 = x7 << 12 | x7 >>> 20;
      x3 = (x3 + x7) | 0;
      x15 ^= x3;
      x15 = x15 << 8 | x15 >>> 24;
      x11 = (x11 + x15) | 0;
      x7 ^= x11;
      x7 = x7 << 7 | x7 >>> 25;
      x0 = (x0 + x5) | 0;
      x15 ^= x0;
      x15 = x15 << 16 | x15 >>> 16;
      x10 = (x10 + x15) | 0;
      x5 ^= x10;
      x5 = x5 << 12 | x5 >>> 20;
      x0 = (x0 + x5) | 0;
      x15 ^= x0;
      x15 = x15 << 8 | x15 >>> 24;
      x10 = (x10 + x15) | 0;
      x5 ^= x10;
      x5 = x5 << 7 | x5 >>> 25;
      x1 = (x1 + x6) | 0;
      x12 ^= x1;
      x12 = x12 << 16 | x12 >>> 16;
      x11 = (x11 + x12) | 0;
      x6 ^= x11;
      x6 = x6 << 12 | x6 >>> 20;
      x1 = (x1 + x6) | 0;
      x12 ^= x1;
      x12 = x12 << 8 | x12 >>> 24;
      x11 = (x11 + x12) | 0;
      x6 ^= x11;
      x6 = x6 << 7 | x6 >>> 25;
      x2 = (x2 + x7) | 0;
      x13 ^= x2;
      x13 = x13 << 16 | x13 >>> 16;
      x8 = (x8 + x13) | 0;
      x7 ^= x8;
      x7 = x7 << 12 | x7 >>> 20;
      x2 = (x2 + x7) | 0;
      x13 ^= x2;
      x13 = x13 << 8 | x13 >>> 24;
      x8 = (x8 + x13) | 0;
      x7 ^= x8;
      x7 = x7 << 7 | x7 >>> 25;
      x3 = (x3 + x4) | 0;
      x14 ^= x3;
      x14 = x14 << 16 | x14 >>> 16;
      x9 = (x9 + x14) | 0;
      x4 ^= x9;
      x4 = x4 << 12 | x4 >>> 20;
      x3 = (x3 + x4) | 0;
      x14 ^= x3;
      x14 = x14 << 8 | x14 >>> 24;
      x9 = (x9 + x14) | 0;
      x4 ^= x9;
      x4 = x4 << 7 | x4 >>> 25;
    }
    words[at]! ^= x0 + s0;
    words[at + 1]! ^= x1 + s1;
    words[at + 2]! ^= x2 + s2;
    words[at + 3]! ^= x3 + s3;
    words[at + 4]! ^= x4 + s4;
    words[at + 5]! ^= x5 + s5;
    words[at + 6]! ^= x6 + s6;
    words[at + 7]! ^= x7 + s7;
    words[at + 8]! ^= x8 + s8;
    words[at + 9]! ^= x9 + s9;
    words[at + 10]! ^= x10 + s10;
    words[at + 11]! ^= x11 + s11;
    words[at + 12]! ^= x12 + s12;
    words[at + 13]! ^= x13 + s13;
    words[at + 14]! ^= x14 + s14;
    words[at + 15]! ^= x15 + s15;
  }
}
