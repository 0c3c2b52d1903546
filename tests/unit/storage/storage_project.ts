/**
 * A project's Storage for one test file: database, Storage stand-in, and a gateway in front that can be told to fail.
 */
import postgres, { type Sql } from "postgres";
import { type ProjectKeys, projectKeys } from "../../../stack/keys.ts";
import { startProjectDatabase } from "../../../stack/postgres/project.ts";
import { startStorage } from "../../../stack/storage/storage.ts";
import { Started } from "../../../stack/started.ts";
import { apply } from "../../sql/project.ts";
import { migrations } from "../../sql/sources.ts";

export interface StorageProject {
  /** What SUPABASE_URL is. */
  url: string;
  keys: ProjectKeys;
  sql: Sql;
  /** Answers to the next requests, before Storage is asked again; null asks Storage. */
  faults: ((request: Request) => Promise<Response> | Response | null)[];
  /** Method and path of the requests so far. */
  requests: string[];
}

/** Runs with Storage up and the bucket `backups` made by its migration. */
export async function withStorage(run: (project: StorageProject) => Promise<void>): Promise<void> {
  const started = new Started();
  try {
    const dir = started.add(await Deno.makeTempDir(), (dir) => Deno.remove(dir, { recursive: true }));
    const database = started.add(await startProjectDatabase(), (database) => database.stop());
    const sql = started.add(postgres(database.url, { max: 1, onnotice: () => {} }), (sql) => sql.end());
    await apply(sql, await migrations());
    const keys = await projectKeys();
    const databaseUrl = database.urlOf("supabase_storage_admin");
    const storage = await startStorage({ databaseUrl, dir, jwtSecret: keys.jwtSecret });
    started.add(storage, (storage) => storage.stop());
    const project: StorageProject = { url: "", keys, sql, faults: [], requests: [] };
    const gateway = started.add(serve(project, storage.url), (gateway) => gateway.shutdown());
    project.url = `http://127.0.0.1:${gateway.addr.port}`;
    await run(project);
  } finally {
    await started.end();
  }
}

function serve(project: StorageProject, storageUrl: string) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    project.requests.push(`${request.method} ${pathname}`);
    const fault = await project.faults.shift()?.(request);
    if (fault) return fault;
    const { method, headers } = request;
    // The whole body, since Storage looks at its Content-Length.
    const body = method === "GET" ? null : await request.arrayBuffer();
    return await fetch(storageUrl + pathname.replace("/storage/v1", "") + search, { method, headers, body });
  });
}
