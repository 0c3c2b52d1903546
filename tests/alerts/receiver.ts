/** A real HTTP server on loopback that takes what is sent and keeps it; it can be made to refuse or to be slow. */
export interface Received {
  path: string;
  headers: Headers;
  body: string;
  // deno-lint-ignore no-explicit-any
  json: any;
}

export interface Receiver extends AsyncDisposable {
  url: string;
  received: Received[];
  /** Answers in place of 200; null lets it through. */
  answer: ((received: Received) => Promise<Response | null> | Response | null) | null;
  at(path: string): Received[];
}

export function startReceiver(): Receiver {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const body = await request.text();
    const kept = {
      path: new URL(request.url).pathname,
      headers: request.headers,
      body,
      json: request.headers.get("content-type") === "application/json" ? JSON.parse(body) : null,
    };
    received.push(kept);
    return await receiver.answer?.(kept) ?? new Response("ok");
  });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${server.addr.port}`,
    received,
    answer: null,
    at: (path) => received.filter((kept) => kept.path === path),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return receiver;
}
