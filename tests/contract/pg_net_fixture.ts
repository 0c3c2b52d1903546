/** What the contract suites of pg_net run on: a database with pg_net or its stand-in, and a server to send to. */
import postgres from "postgres";
import { startNet } from "../../stack/net/net.ts";
import { startProjectDatabase } from "../../stack/postgres/project.ts";
import { Started } from "../../stack/started.ts";

export interface Fixture {
  /** Role `postgres`, or whomever CONTRACT_DATABASE_URL names. */
  sql: postgres.Sql;
  /** Base URL of the server; see answer(). */
  url: string;
  /** Paths that the server was asked for, with the time. */
  seen: { path: string; at: number }[];
  /** The response row of a request, once there is one. */
  response(id: string): Promise<ResponseRow>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ResponseRow {
  status_code: number | null;
  content_type: string | null;
  headers: Record<string, string> | null;
  content: string | null;
  timed_out: boolean | null;
  error_msg: string | null;
  created: Date;
}

/** CONTRACT_DATABASE_URL names a database whose worker reaches this machine's loopback; without it one is started. */
export async function startFixture(): Promise<Fixture> {
  const started = new Started();
  try {
    return await start(started);
  } catch (error) {
    await started.end();
    throw error;
  }
}

async function start(started: Started): Promise<Fixture> {
  const url = Deno.env.get("CONTRACT_DATABASE_URL") ?? await startDatabase(started);
  const sql = started.add(postgres(url, { onnotice: () => {} }), (sql) => sql.end({ timeout: 1 }));
  const seen: Fixture["seen"] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push({ path: new URL(request.url).pathname, at: Date.now() });
    return answer(request);
  });
  started.add(server, (server) => server.shutdown());
  const response = (id: string) =>
    waitFor(async () => {
      const [row] = await sql<ResponseRow[]>`select * from net._http_response where id = ${id}`;
      return row;
    }, `a response to request ${id}`);
  return {
    sql,
    seen,
    url: `http://127.0.0.1:${server.addr.port}`,
    response,
    [Symbol.asyncDispose]: () => started.end(),
  };
}

async function startDatabase(started: Started): Promise<string> {
  const database = started.add(await startProjectDatabase(), (database) => database.stop());
  if (!database.realNet) {
    started.add(await startNet({ databaseUrl: database.url, log: console.error }), (net) => net.stop());
  }
  return database.url;
}

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname.startsWith("/slow")) {
    await new Promise((resolve) => setTimeout(resolve, Number(searchParams.get("ms"))));
    return new Response("at last");
  }
  if (pathname === "/status") return new Response("so it is", { status: Number(searchParams.get("code")) });
  if (pathname === "/redirect") return Response.redirect(new URL("/echo?redirected=1", request.url), 302);
  if (pathname === "/binary") return new Response(new Uint8Array([0, 0xff, 0xfe, 0x41]));
  if (pathname === "/big") return new Response("ü".repeat(1_500_000));
  if (pathname === "/empty") return new Response("");
  const { method, url, headers } = request;
  return Response.json({ method, url, headers: Object.fromEntries(headers), body: await request.text() });
}

/** Asks until the answer is neither null nor undefined nor false; throws after ten seconds. */
export async function waitFor<T>(ask: () => Promise<T | null | undefined | false>, what: string): Promise<T> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited 10 s in vain for ${what}`);
}
