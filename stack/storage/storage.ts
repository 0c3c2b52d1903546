/**
 * A stand-in for the Storage API: the routes, statuses and bodies of the real server for what supabase-js and the CLI
 * use, over the tables of schema `storage` with row level security enforced, files on disk. The facts it follows are
 * stated by tests/contract/storage_test.ts, which runs against the real server too.
 */
import { Hono } from "hono";
import { bucketRoutes } from "./buckets.ts";
import { Database } from "./database.ts";
import { downloadRoutes } from "./downloads.ts";
import { errors, StorageError } from "./errors.ts";
import { Files } from "./files.ts";
import { listingRoutes } from "./listing.ts";
import { objectRoutes } from "./objects.ts";
import type { Service } from "./service.ts";
import { signingRoutes } from "./signing.ts";
import { drain, within } from "./stream.ts";
import { Tokens } from "./tokens.ts";
import { uploadRoutes } from "./uploads.ts";

export interface StorageOptions {
  /** Connects as `supabase_storage_admin`, or another role that may take on anon, authenticated and service_role. */
  databaseUrl: string;
  /** Folder of the objects' bytes; made when missing. */
  dir: string;
  /** HS256 secret of the project's JWTs. */
  jwtSecret: string;
  /** TCP port on 127.0.0.1; a free one without it. */
  port?: number;
  /** The project's limit for one file, in bytes; 50 MiB without it, as `supabase start` has it. */
  fileSizeLimit?: number;
  log?: (line: StorageLog) => void;
}

export interface StorageLog {
  method: string;
  /** Without the query, which may hold a token. */
  path: string;
  status: number;
  ms: number;
  /** What went wrong in the server, when something did. */
  error?: unknown;
}

export interface Storage {
  /** `<url>/bucket`, `<url>/object/…`; no `/storage/v1`, which is the gateway's. */
  url: string;
  stop(): Promise<void>;
}

const DEFAULT_FILE_SIZE_LIMIT = 50 * 1024 * 1024;

/** How long stop() waits for requests under way: a client that hangs must not keep the stack from ending. */
const GRACE_MS = 5000;

/**
 * Starts the server; it listens when the promise resolves. Throws when the folder cannot be made or the port is taken.
 */
export async function startStorage(options: StorageOptions): Promise<Storage> {
  await Deno.mkdir(options.dir, { recursive: true });
  const service: Service = {
    database: new Database(options.databaseUrl),
    files: new Files(options.dir),
    tokens: new Tokens(options.jwtSecret),
    fileSizeLimit: options.fileSizeLimit ?? DEFAULT_FILE_SIZE_LIMIT,
  };
  const app = routes(service, options.log ?? (() => {}));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: options.port ?? 0, onListen: () => {} },
    app.fetch,
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    stop: async () => {
      await within(server.shutdown(), GRACE_MS);
      await service.database.close();
    },
  };
}

function routes(service: Service, log: (line: StorageLog) => void): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    const start = performance.now();
    await next();
    await drain(c.req.raw);
    log({
      method: c.req.raw.method,
      path: c.req.path,
      status: c.res.status,
      ms: Math.round(performance.now() - start),
      ...(c.res.status >= 500 && { error: c.error }),
    });
  });
  app.onError(refuse);
  app.notFound((c) => refuse(errors.noSuchRoute(c.req.method, c.req.path)));

  app.get("/status", (c) => c.body(null, 200));
  for (
    const [path, what] of [
      ["/upload/resumable", "Resumable upload (TUS)"],
      ["/s3", "The S3 protocol"],
      ["/render/image", "Image transformation"],
    ] as const
  ) {
    app.all(`${path}/*`, () => {
      throw errors.notInStandIn(what);
    });
  }
  // The first route that matches answers: named ones before /object/:bucket/….
  for (
    const group of [bucketRoutes, listingRoutes, signingRoutes, objectRoutes, uploadRoutes, downloadRoutes]
  ) {
    group(app, service);
  }
  return app;
}

function refuse(error: unknown): Response {
  const refusal = error instanceof StorageError
    ? error
    : new StorageError("InternalError", 500, error instanceof Error ? error.message : String(error));
  return Response.json(refusal.body(), { status: refusal.httpStatus });
}
