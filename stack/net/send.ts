/** One request of pg_net's queue, sent as libcurl would. */

export interface NetRequest {
  method: string;
  url: string;
  headers: [name: string, value: string][];
  body: Uint8Array | null;
  /** Of the whole request, body included; 0: no limit. */
  timeoutMs: number;
}

/** A row of `net._http_response`, but for its id and time. */
export interface NetResponse {
  status_code: number | null;
  content_type: string | null;
  headers: Record<string, string> | null;
  content: string | null;
  timed_out: boolean;
  error_msg: string | null;
}

const USER_AGENT = "pg_net/0.20.4";

/** What libcurl says, by what Deno's errors say. The last line is for everything else. */
const ERRORS: [RegExp, string][] = [
  [/dns error/, "Couldn't resolve host name"],
  [/invalid peer certificate/, "SSL peer certificate or SSH remote key was not OK"],
  [/tcp connect error|client error \(Connect\)/, "Couldn't connect to server"],
  [/connection closed before message completed/, "Server returned nothing (no headers, no data)"],
  [/redirect/, "Number of redirects hit maximum amount"],
  [/.*/s, "Failure when receiving data from the peer"],
];

/** Returns the outcome of the request: a response, a timeout or an error. Throws only when `stop` is aborted. */
export async function send(request: NetRequest, stop: AbortSignal): Promise<NetResponse> {
  if (!/^https?:/i.test(request.url)) return failure("Unsupported protocol");
  const began = performance.now();
  const timeout = new AbortController();
  const timer = request.timeoutMs > 0 ? setTimeout(() => timeout.abort(), request.timeoutMs) : undefined;
  try {
    const response = await fetch(request.url, {
      method: request.method.toUpperCase(),
      headers: headersOf(request),
      body: request.body,
      signal: AbortSignal.any([stop, timeout.signal]),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return {
      status_code: response.status,
      content_type: response.headers.get("content-type"),
      headers: Object.fromEntries(response.headers),
      content: textOf(bytes),
      timed_out: false,
      error_msg: null,
    };
  } catch (error) {
    stop.throwIfAborted();
    if (timeout.signal.aborted) return timedOut(request.timeoutMs, performance.now() - began);
    return failure(ERRORS.find(([pattern]) => pattern.test(String(error)))![1]);
  } finally {
    clearTimeout(timer);
  }
}

function headersOf({ headers: given, body }: NetRequest): Headers {
  const headers = new Headers(given);
  // A new connection a request, and no compression: libcurl asks for neither.
  headers.set("connection", "close");
  if (!headers.has("accept-encoding")) headers.set("accept-encoding", "identity");
  if (!headers.has("user-agent")) headers.set("user-agent", USER_AGENT);
  if (body !== null && !headers.has("content-type")) {
    headers.set("content-type", "application/x-www-form-urlencoded");
  }
  return headers;
}

/** Text up to the first NUL, as C reads it; null when it is empty or not UTF-8. */
function textOf(bytes: Uint8Array): string | null {
  const end = bytes.indexOf(0);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(end < 0 ? bytes : bytes.subarray(0, end)) || null;
  } catch {
    return null;
  }
}

/** Phases of a request cannot be told apart here: all its time counts for the last. */
function timedOut(timeoutMs: number, tookMs: number): NetResponse {
  const took = tookMs.toFixed(6);
  const phases =
    `DNS time: 0.000000 ms, TCP/SSL handshake time: 0.000000 ms, HTTP Request/Response time: ${took} ms`;
  return {
    ...failure(`Timeout of ${timeoutMs} ms reached. Total time: ${took} ms (${phases})`),
    timed_out: true,
  };
}

function failure(message: string): NetResponse {
  return {
    status_code: null,
    content_type: null,
    headers: null,
    content: null,
    timed_out: false,
    error_msg: message,
  };
}
