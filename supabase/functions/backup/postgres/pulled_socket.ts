/**
 * The duplex that postgres.js gets for its `socket` option. It is pulled: the next bytes are read from the server only
 * when those before have been consumed, so a slow consumer slows the server down and nothing piles up here.
 *
 * While a consumer is set, the payload of CopyData messages goes to it, and CopyOutResponse and CopyDone are swallowed:
 * the library sees a statement that returns `COPY n` or an error, and never opens its own stream. In the other
 * direction CopyInResponse is swallowed while a sender waits for it, which then sends CopyData past the library.
 */
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import { setImmediate } from "node:timers";

/** Gets COPY text; the bytes are valid until the returned promise resolves. */
export type CopyConsumer = (block: Uint8Array) => void | Promise<void>;

/** What one read may bring. Large enough that reads are few, small enough to stay in the processor's cache. */
const READ_BYTES = 256 * 1024;

/** Message types (PostgreSQL documentation, 55.7 Message Formats). */
const COPY_DATA = "d".charCodeAt(0);
const COPY_IN_RESPONSE = "G".charCodeAt(0);
const COPY_OUT_RESPONSE = "H".charCodeAt(0);
const COPY_DONE = "c".charCodeAt(0);
const HEADER_BYTES = 5;

/**
 * A read that finds bytes waiting resolves without a turn of the event loop. A fast server would keep timers, uploads
 * and heartbeats from ever running, so a turn is taken after this many bytes.
 */
const TURN_BYTES = 1024 * 1024;

type Handling = "consume" | "drop" | "pass";

export class PulledSocket extends EventEmitter {
  /** postgres.js asks before it says goodbye. */
  readyState: "open" | "closed" = "open";
  #connection: Deno.Conn;
  #consumer: CopyConsumer | null = null;
  #copyInReady: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();
  #buffer = new Uint8Array(READ_BYTES);
  #handling: Handling = "pass";
  /** Bytes of the current message that have not come yet. */
  #remaining = 0;

  constructor(connection: Deno.Conn) {
    super();
    this.#connection = connection;
    // Listeners are attached after the factory returned; the first bytes must wait for them.
    queueMicrotask(() => this.#pump().then((error) => this.destroy(error)));
  }

  set consumer(consumer: CopyConsumer | null) {
    this.#consumer = consumer;
  }

  /** Called when the server is ready to take rows. */
  set copyInReady(ready: (() => void) | null) {
    this.#copyInReady = ready;
  }

  /**
   * Sends messages, or the pieces of one, past the library. Resolves when the system has taken them, so a slow server
   * slows the sender down.
   */
  async send(...pieces: Uint8Array[]): Promise<void> {
    await this.#writing;
    if (this.readyState === "closed") return;
    this.#writing = this.#writeEach(pieces).catch((error) => this.destroy(error));
    await this.#writing;
  }

  write(bytes: Uint8Array, done?: () => void): boolean {
    this.#writing = this.#writing.then(() => this.#writeAll(bytes)).then(
      done,
      (error) => this.destroy(error),
    );
    return true;
  }

  end(bytes?: Uint8Array): void {
    if (bytes) this.write(bytes);
    this.#writing.then(() => this.destroy());
  }

  destroy(error?: Error | null): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    try {
      this.#connection.close();
    } catch { /* the peer was faster */ }
    if (error) this.emit("error", error);
    this.emit("close", Boolean(error));
  }

  /** Backpressure is the consumer's promise, not the library's wish. */
  pause(): void {}
  resume(): void {}

  async #writeEach(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) await this.#writeAll(piece);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#connection.write(bytes.subarray(sent));
    }
  }

  /** Reads to the end of the stream; answers the error that ended it, or null. */
  async #pump(): Promise<Error | null> {
    let kept = 0;
    let sinceTurn = 0;
    try {
      while (this.readyState === "open") {
        const read = await this.#connection.read(this.#buffer.subarray(kept));
        if (read === null) return null;
        kept = await this.#take(kept + read);
        sinceTurn += read;
        if (sinceTurn < TURN_BYTES) continue;
        sinceTurn = 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
      return null;
    } catch (error) {
      // Closing the connection on purpose interrupts the read.
      if (this.readyState !== "open") return null;
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /**
   * Handles the first `end` bytes of the buffer and answers how many are kept, at its start: an incomplete header.
   * COPY text is moved together inside the buffer over the headers between the rows, so there is no object per row.
   */
  async #take(end: number): Promise<number> {
    const buffer = this.#buffer;
    let position = 0;
    let text = 0;
    while (position < end) {
      if (this.#remaining === 0) {
        if (end - position < HEADER_BYTES) break;
        position += this.#begin(position);
      }
      const here = Math.min(this.#remaining, end - position);
      if (this.#handling === "consume") {
        buffer.copyWithin(text, position, position + here);
        text += here;
      } else if (this.#handling === "pass") {
        // What the library sees next may settle the COPY: its text comes first.
        if (text > 0) await this.#consumer?.(buffer.subarray(0, text));
        text = 0;
        this.emit("data", Buffer.from(buffer.slice(position, position + here)));
      }
      position += here;
      this.#remaining -= here;
    }
    if (text > 0) await this.#consumer?.(buffer.subarray(0, text));
    buffer.copyWithin(0, position, end);
    return end - position;
  }

  /** Looks at the header at `position`; answers how many of its bytes are dealt with. */
  #begin(position: number): number {
    const buffer = this.#buffer;
    const type = buffer[position]!;
    // The length counts itself and not the type.
    const length = (buffer[position + 1]! << 24 | buffer[position + 2]! << 16 |
      buffer[position + 3]! << 8 |
      buffer[position + 4]!) >>> 0;
    if (this.#consumer !== null && type === COPY_DATA) {
      this.#handling = "consume";
    } else if (this.#consumer !== null && (type === COPY_OUT_RESPONSE || type === COPY_DONE)) {
      this.#handling = "drop";
    } else if (this.#copyInReady !== null && type === COPY_IN_RESPONSE) {
      this.#handling = "drop";
      this.#copyInReady();
    } else {
      this.#handling = "pass";
      this.#remaining = length + 1;
      return 0;
    }
    this.#remaining = length - 4;
    return HEADER_BYTES;
  }
}
