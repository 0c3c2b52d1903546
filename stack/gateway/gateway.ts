/** One port for the project's API, as `https://<ref>.supabase.co` has it: functions and Storage behind it. */
import type { ProjectKeys } from "../keys.ts";
import type { Certificates } from "../certificates.ts";
import { authorizationFor } from "./api_keys.ts";

export interface GatewayOptions {
  keys: ProjectKeys;
  /** TCP port on 127.0.0.1; a free one without it. */
  port?: number;
  /** Listens with these on a second port, for functions: `secureUrl`. */
  certificates?: Certificates;
  /** Puts a page in the place of a function's own 5xx bodies, as a gateway may do. */
  hideErrors?: boolean;
  /** Sees each request first; what it answers is the answer, unless that is null. For tests that want faults. */
  intercept?: (request: Request) => Promise<Response | null> | Response | null;
}

export interface Gateway {
  url: string;
  /** The same over TLS, where there are certificates. */
  secureUrl: string;
  /** Base URLs of what lies behind; may be set later, because functions have to know the gateway's URL. */
  upstreams: { functions?: string; storage?: string };
  /** Ends it with all requests under way. */
  stop(): Promise<void>;
}

/** Parts of a hosted project that the stack does not have. */
const NOT_HERE = ["rest", "auth", "realtime", "graphql"];

/** Headers of one connection. */
const OF_THE_CONNECTION = ["connection", "host", "keep-alive", "transfer-encoding", "upgrade"];

/** Starts to listen; requests to an upstream that is not set are answered with 503. */
export function startGateway(options: GatewayOptions): Gateway {
  const { keys, intercept } = options;
  const upstreams: Gateway["upstreams"] = {};

  const respond = async (request: Request): Promise<Response> => {
    const answer = await intercept?.(request) ?? null;
    if (answer !== null) return answer;
    // Cloudflare's browser integrity check.
    if (!request.headers.get("user-agent")) return new Response("error code: 1010", { status: 403 });
    const url = new URL(request.url);
    const [, service, rest] = url.pathname.match(/^\/([a-z]+)\/v1(\/.*)?$/) ?? [];
    const path = `${rest ?? "/"}${url.search}`;
    if (service === "functions") {
      const answer = await pass(request, upstreams.functions, path, request.headers);
      if (!options.hideErrors || answer.status < 500) return answer;
      await answer.body?.cancel();
      return new Response("<html><h1>Error</h1></html>", { status: answer.status });
    }
    if (service === "storage") {
      const headers = authorizationFor(request.headers, keys);
      if (headers === null) return refuse(401, "Invalid API key", "Double check your API key.");
      return await pass(request, upstreams.storage, path, headers);
    }
    if (NOT_HERE.includes(service ?? "")) {
      return refuse(
        503,
        `/${service}/v1 is not part of the stack`,
        "It has /functions/v1, /storage/v1 and the database.",
      );
    }
    return refuse(404, "no Route matched with those values", "Try /functions/v1/<name> or /storage/v1/….");
  };

  const ending = new AbortController();
  const serving = {
    hostname: "127.0.0.1",
    signal: ending.signal,
    onListen: () => {},
    onError: (error: unknown) => refuse(500, "The gateway failed", String(error)),
  };
  const server = Deno.serve({ ...serving, port: options.port ?? 0 }, respond);
  const { certificates } = options;
  const secure = certificates &&
    Deno.serve({ ...serving, port: 0, cert: certificates.certificate, key: certificates.key }, respond);
  const url = `http://127.0.0.1:${server.addr.port}`;
  return {
    url,
    secureUrl: secure ? `https://127.0.0.1:${secure.addr.port}` : url,
    upstreams,
    stop: async () => {
      ending.abort();
      await Promise.all([server.finished, secure?.finished]);
    },
  };
}

/** Sends a request on and its answer back, both as streams: nothing is held here, and sizes stay declared. */
async function pass(
  request: Request,
  upstream: string | undefined,
  path: string,
  given: Headers,
): Promise<Response> {
  if (upstream === undefined) return refuse(503, "The service is starting", "Try again in a moment.");
  const headers = new Headers(given);
  for (const name of OF_THE_CONNECTION) headers.delete(name);
  // What an upstream compresses, fetch() would unpack again.
  headers.set("accept-encoding", "identity");
  try {
    return await fetch(upstream + path, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
    });
  } catch (error) {
    return refuse(
      502,
      "An invalid response was received from the upstream server",
      error instanceof Error ? error.message : String(error),
    );
  }
}

function refuse(status: number, message: string, hint: string): Response {
  return Response.json({ message, hint }, { status });
}
