/** Passes a request on to a worker's port. */

/** Headers of one connection, or that fetch() sets itself. */
const OF_THE_CONNECTION = ["connection", "host", "content-length", "transfer-encoding"];

/** Path, query, method, headers and body go through as they are; the answer too, redirects included. */
export async function forward(request: Request, port: number, signal: AbortSignal): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  for (const name of OF_THE_CONNECTION) headers.delete(name);
  // What the worker compresses, fetch() would unpack again.
  headers.set("accept-encoding", "identity");
  return await fetch(`http://127.0.0.1:${port}${pathname}${search}`, {
    method: request.method,
    headers,
    body: request.body,
    redirect: "manual",
    signal,
  });
}

/** The same response; `done` is called when its body has been read, or will never be. */
export function whenRead(response: Response, done: () => void): Response {
  if (response.body === null) {
    done();
    return response;
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  // A break reaches the reader through `readable`.
  response.body.pipeTo(writable).catch(() => {}).finally(done);
  return new Response(readable, response);
}

/** Rejects with the signal's reason when it fires. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** The promise's value, or null when it takes longer than that. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), ms));
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
