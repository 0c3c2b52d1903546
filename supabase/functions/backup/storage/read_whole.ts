/** Reads bytes that come in pieces into memory of their expected size: joining pieces would take twice as much. */
export async function readWhole(
  read: (consume: (pieces: AsyncIterable<Uint8Array>) => Promise<number>) => Promise<number>,
  expected: number,
): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(expected);
  const length = await read(async (pieces) => {
    let filled = 0;
    for await (const piece of pieces) {
      if (filled + piece.length <= expected) bytes.set(piece, filled);
      filled += piece.length;
    }
    return filled;
  });
  return length === expected ? bytes : null;
}
