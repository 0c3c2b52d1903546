/** Reads the answer to one HTTP/1.1 request (RFC 9112): that of an upload, a short one. */

/** Storage's answer to an upload is never longer. */
const LONGEST_ANSWER = 1024 * 1024;
const READ_SIZE = 16 * 1024;
const CRLF = "\r\n";

/** Throws TypeError, as fetch does, for a connection that ends too early and for an answer that is not HTTP. */
export async function readAnswer(connection: Pick<Deno.Conn, "read">): Promise<Response> {
  // A character for each byte: lengths are lengths, and nothing is decoded before it is whole.
  let arrived = "";
  const buffer = new Uint8Array(READ_SIZE);
  while (arrived.length < LONGEST_ANSWER) {
    const length = await connection.read(buffer);
    if (length !== null) arrived += String.fromCharCode(...buffer.subarray(0, length));
    const answer = parse(arrived, length === null);
    if (answer !== null) return answer;
    if (length === null) throw new TypeError("the connection ended before the answer did");
  }
  throw new TypeError(`the answer is longer than ${LONGEST_ANSWER} bytes`);
}

/** Returns the answer, or null while some of it is missing; `ended` when nothing more will arrive. */
function parse(text: string, ended: boolean): Response | null {
  const headEnd = text.indexOf(CRLF + CRLF);
  if (headEnd < 0) return null;
  const [first, ...lines] = text.slice(0, headEnd).split(CRLF);
  const rest = text.slice(headEnd + 2 * CRLF.length);
  const [, status, statusText = ""] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(first!) ?? [];
  if (status === undefined) throw new TypeError("the answer is not HTTP/1.1");
  // 100 Continue and its like come before the answer.
  if (status.startsWith("1")) return parse(rest, ended);
  const headers = new Headers(lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  }));
  const body = bodyOf(rest, headers, ended);
  if (body === null) return null;
  const bytes = body === "" ? null : Uint8Array.from(body, (byte) => byte.charCodeAt(0));
  return new Response(bytes, { status: Number(status), statusText, headers });
}

function bodyOf(rest: string, headers: Headers, ended: boolean): string | null {
  if (/chunked/i.test(headers.get("transfer-encoding") ?? "")) return unchunked(rest);
  const length = headers.get("content-length");
  if (length !== null) return rest.length < Number(length) ? null : rest.slice(0, Number(length));
  return ended ? rest : null;
}

/** Each chunk is its length in hexadecimal, a line end, so many bytes and a line end; the last one is empty. */
function unchunked(rest: string): string | null {
  let body = "";
  for (let position = 0;;) {
    const lineEnd = rest.indexOf(CRLF, position);
    if (lineEnd < 0) return null;
    const length = parseInt(rest.slice(position, lineEnd), 16);
    if (Number.isNaN(length)) throw new TypeError("the answer has a chunk without a length");
    if (length === 0) return body;
    const begin = lineEnd + CRLF.length;
    position = begin + length + CRLF.length;
    if (rest.length < position) return null;
    body += rest.slice(begin, begin + length);
  }
}
