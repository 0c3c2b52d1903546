/** Sends rows to the server as CopyData messages (PostgreSQL documentation, 55.7 Message Formats). */
import type { PulledSocket } from "./pulled_socket.ts";

const COPY_DATA = "d".charCodeAt(0);
const COPY_DONE = new Uint8Array(["c".charCodeAt(0), 0, 0, 0, 4]);
/** With an empty reason: the sender throws a better one. */
const COPY_FAIL = new Uint8Array(["f".charCodeAt(0), 0, 0, 0, 5, 0]);
const HEADER_BYTES = 5;

/** Bytes of a message. Larger ones gain nothing, and the server reads each into memory as a whole. */
const MESSAGE_BYTES = 256 * 1024;

/** Sends rows until the server says that it is over. Returns the error that reading them threw, or null. */
export async function sendRows(
  socket: PulledSocket,
  text: AsyncIterable<Uint8Array>,
  isOver: () => boolean,
): Promise<{ error: unknown } | null> {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header[0] = COPY_DATA;
  try {
    for await (const piece of text) {
      for (let at = 0; at < piece.length; at += MESSAGE_BYTES) {
        // After an error the server reads what still comes and drops it.
        if (isOver()) return null;
        const here = piece.subarray(at, at + MESSAGE_BYTES);
        view.setUint32(1, 4 + here.length);
        await socket.send(header, here);
      }
    }
  } catch (error) {
    await socket.send(COPY_FAIL);
    return { error };
  }
  if (!isOver()) await socket.send(COPY_DONE);
  return null;
}
