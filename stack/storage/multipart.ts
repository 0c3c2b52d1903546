/** A form as browsers and supabase-js send files (multipart/form-data), read without holding the file in memory. */
import { concat } from "./stream.ts";
import { errors } from "./errors.ts";

export interface Form {
  /** The fields that stand before the file. */
  fields: Map<string, string>;
  /** The MIME type that the file's part names. */
  type: string;
  /** The file's bytes; to be read once. */
  file: AsyncIterable<Uint8Array>;
}

const HEAD_END = new TextEncoder().encode("\r\n\r\n");
const HEAD_LIMIT = 16 * 1024;
const FIELD_LIMIT = 1024 * 1024;

/** Reads a form up to its first file. Throws InvalidRequest when it is cut short, or has no file. */
export async function readForm(contentType: string, body: AsyncIterable<Uint8Array>): Promise<Form> {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const name = quoted ?? plain;
  if (name === undefined) throw errors.noContent();
  const boundary = new TextEncoder().encode(`\r\n--${name}`);
  const source = new Source(body);
  const fields = new Map<string, string>();
  await whole(source.until(boundary), HEAD_LIMIT);
  for (;;) {
    const head = await whole(source.until(HEAD_END), HEAD_LIMIT);
    // After the last boundary come two dashes instead of another part.
    if (head.startsWith("--")) throw errors.noContent();
    const field = /\bname="([^"]*)"/i.exec(head)?.[1] ?? "";
    if (/\bfilename\*?=/i.test(head)) {
      const type = /^content-type:\s*(.+)$/im.exec(head)?.[1]?.trim() ?? "application/octet-stream";
      return { fields, type, file: source.until(boundary) };
    }
    fields.set(field, await whole(source.until(boundary), FIELD_LIMIT));
  }
}

/** The bytes of a body, handed out up to a mark. */
class Source {
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** The first boundary has no line before it: this stands for one. */
  #rest = new TextEncoder().encode("\r\n");

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#chunks = body[Symbol.asyncIterator]();
  }

  /** Returns what comes before `mark`, which is taken off too. Throws InvalidRequest when the body ends without it. */
  async *until(mark: Uint8Array): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = indexOf(this.#rest, mark);
      if (at >= 0) {
        const found = this.#rest.subarray(0, at);
        this.#rest = this.#rest.subarray(at + mark.length);
        if (found.length > 0) yield found;
        return;
      }
      // The mark may have begun at the end of what is there.
      const sure = this.#rest.length - mark.length + 1;
      if (sure > 0) {
        const found = this.#rest.subarray(0, sure);
        this.#rest = this.#rest.subarray(sure);
        yield found;
      }
      const next = await this.#chunks.next();
      if (next.done) throw errors.noContent();
      this.#rest = concat([this.#rest, next.value]);
    }
  }
}

/** Returns where `mark` begins; -1 when it is not there. */
function indexOf(bytes: Uint8Array, mark: Uint8Array): number {
  for (let at = bytes.indexOf(mark[0]!); at >= 0; at = bytes.indexOf(mark[0]!, at + 1)) {
    if (mark.every((byte, offset) => bytes[at + offset] === byte)) return at;
  }
  return -1;
}

async function whole(source: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of source) {
    parts.push(part);
    size += part.length;
    if (size > limit) throw errors.tooLarge();
  }
  return new TextDecoder().decode(concat(parts));
}
