/**
 * The worker of the pg_net stand-in. As the real one it takes a batch of requests in one transaction: their answers,
 * and that they have left the queue, are seen by others when the slowest of them is done.
 */
import postgres from "postgres";
import { type NetRequest, send } from "./send.ts";

export interface NetOptions {
  /** Role `postgres`: triggers that users put on the tables run as the worker. */
  databaseUrl: string;
  log?: (line: string) => void;
}

export interface Net {
  /** Ends the worker; requests under way are dropped and stay in the queue. */
  stop(): Promise<void>;
}

interface Queued extends NetRequest {
  id: string;
}

/** Between two batches; only the first request that comes meanwhile cuts it short, as with the real worker. */
const PAUSE_MS = 1_000;

/**
 * Second line behind the notification: requests that somebody inserted without net.wake(), or after a lost connection.
 */
const POLL_MS = 1_000;

/** Starts the worker of a database that schema.sql was installed in; resolves once it listens. */
export async function startNet({ databaseUrl, log = () => {} }: NetOptions): Promise<Net> {
  const sql = postgres(databaseUrl, {
    max: 1,
    onnotice: () => {},
    connection: { application_name: "pg_net 0.20.4", statement_timeout: 0 },
  });
  const stopping = new AbortController();
  const { signal } = stopping;
  const bell = new Bell();
  await sql.listen("net", () => bell.ring(), () => bell.ring());

  const work = async () => {
    while (!signal.aborted) {
      await bell.wait(POLL_MS);
      try {
        if (!bell.answer() && !await isQueued(sql)) continue;
        while (!signal.aborted && await batch(sql, signal) > 0) await bell.wait(PAUSE_MS);
      } catch (error) {
        if (signal.aborted) return;
        log(error instanceof Error ? error.message : String(error));
      }
    }
  };
  const working = work();

  const stop = async () => {
    stopping.abort();
    bell.answer();
    bell.ring();
    await working;
    await sql.end({ timeout: 1 });
  };
  return { stop };
}

/** Something to wait for. Once it has rung, further rings have no effect until it is answered. */
class Bell {
  #rung = false;
  #heard = true;
  #wake = () => {};

  ring(): void {
    if (this.#rung) return;
    this.#rung = true;
    this.#heard = false;
    this.#wake();
  }

  /** Waits until it rings, at most so long; at once when it has rung since the last wait. */
  async wait(ms: number): Promise<void> {
    if (this.#heard) {
      let timer: number | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
    }
    this.#heard = true;
  }

  /** Returns whether it rang since the last answer. */
  answer(): boolean {
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }
}

async function isQueued(sql: postgres.Sql): Promise<boolean> {
  const [found] = await sql`select from net.http_request_queue limit 1`;
  return found !== undefined;
}

/** Drops what has expired, sends what is queued, records the answers. Returns how many rows that were. */
async function batch(sql: postgres.Sql, stop: AbortSignal): Promise<number> {
  return await sql.begin(async (sql) => {
    const expired = await sql`
      delete from net._http_response
      where created < now() - coalesce(current_setting('pg_net.ttl', true), '6 hours')::interval`;
    const requests = await sql<Queued[]>`
      delete from net.http_request_queue q
      using (
        select id from net.http_request_queue
        order by id
        limit coalesce(current_setting('pg_net.batch_size', true), '200')::integer
      ) next
      where q.id = next.id
      returning q.id::text, q.method, q.url, q.body, q.timeout_milliseconds as "timeoutMs", coalesce(
        (select jsonb_agg(array[key, value]) from jsonb_each_text(q.headers) where value is not null), '[]'
      ) as headers`;
    const responses = await Promise.all(requests.map(async (request) => {
      const response = await send(request, stop);
      return { id: request.id, ...response, headers: response.headers && sql.json(response.headers) };
    }));
    if (responses.length > 0) await sql`insert into net._http_response ${sql(responses)}`;
    return expired.count + requests.count;
  });
}
