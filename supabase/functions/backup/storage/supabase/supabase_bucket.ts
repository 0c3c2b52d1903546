/** The bucket of a Supabase project, through supabase-js. Tries everything once; see `retry.ts`. */
import { createClient } from "@supabase/supabase-js";
import { BucketError, checkName, joined, type ProjectBucket, type StoredObject } from "../bucket.ts";
import { bucketError, type StorageFailure } from "./failure.ts";
import { arriving, deadline } from "../http/transfer.ts";
import { reasonOf } from "../http/refusal.ts";
import { request } from "../http/requests.ts";

export interface SupabaseBucketOptions {
  /** The project's base URL (`SUPABASE_URL`). */
  url: string;
  /** Secret key or service_role key. */
  key: string;
  bucket: string;
  /** Ends the requests under way, when a worker must stop. */
  signal?: AbortSignal;
  /** Milliseconds that a request may take, with its answer's body. */
  timeout?: number;
}

/** A part of 40 MiB at less than 1 MB/s, and one retry still fits the 150 seconds of an invocation. */
const TIMEOUT = 60_000;

/** Storage lists 100 by default and never more than 1,500. */
const PAGE = 1000;

/** Most names in one call of remove. */
const BATCH = 1000;

/** What Storage lists: an object, or a folder, which has no id. */
interface Listed {
  name: string;
  id: string | null;
  metadata: Record<string, unknown> | null;
}

/** Returns a bucket with a client of its own; each worker needs one. Makes no request. */
export function supabaseBucket(options: SupabaseBucketOptions): ProjectBucket {
  const { bucket: id, timeout = TIMEOUT } = options;
  const client = createClient(options.url, options.key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: {
      fetch: async (input, init) =>
        await readable(await request(input, { ...init, signal: deadline(timeout, options.signal) })),
    },
  });
  const files = client.storage.from(id);

  const bucket: ProjectBucket = {
    async put(name, bytes, contentType) {
      checkName(name);
      const action = `Cannot store "${name}"`;
      const stored = await answerOf(action, files.upload(name, bytes, { contentType, upsert: true }));
      if (stored.fullPath !== `${id}/${name}`) {
        throw new BucketError(
          "refused",
          `${action}: Storage named it "${stored.fullPath}"`,
          "Use another name.",
        );
      }
    },

    get: (name) => bucket.read(name, joined),

    async read(name, consume) {
      checkName(name);
      return await readPath(name, consume);
    },

    readFile: (name, consume) => readPath(encodedPath(name), consume),

    async list(folder) {
      const objects = (await listAll(folder)).filter((listed) => listed.id !== null);
      return objects.map(({ name, metadata }): StoredObject => ({ name, bytes: Number(metadata?.size) }));
    },

    async folders() {
      return (await listAll("")).filter((listed) => listed.id === null).map(({ name }) => name);
    },

    async exists(name) {
      const { data, error } = await files.exists(encodedPath(name));
      const { status } = (error ?? {}) as StorageFailure;
      if (error !== null && status !== 400 && status !== 404) {
        throw bucketError(`Cannot look up "${id}/${name}"`, error as StorageFailure);
      }
      return data;
    },

    async isPublic() {
      return (await answerOf(`Cannot read bucket "${id}"`, client.storage.getBucket(id))).public;
    },

    async remove(names) {
      for (let begin = 0; begin < names.length; begin += BATCH) {
        const batch = names.slice(begin, begin + BATCH);
        const removed = await answerOf(`Cannot remove "${batch[0]}" …`, files.remove(batch));
        if (removed.length < batch.length) await expectGone(batch);
      }
    },
  };
  return bucket;

  async function readPath<T>(
    path: string,
    consume: (pieces: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    const action = `Cannot read "${path}"`;
    const body: ReadableStream<Uint8Array> = await answerOf(action, files.download(path).asStream());
    try {
      return await consume(arriving(body, (cause) => bucketError(action, cause as Error)));
    } finally {
      // A consumer that never began would leave the connection open.
      await body.cancel().catch(() => {});
    }
  }

  async function listAll(folder: string): Promise<Listed[]> {
    const all: Listed[] = [];
    let page: Listed[];
    do {
      const range = { limit: PAGE, offset: all.length, sortBy: { column: "name", order: "asc" } };
      page = await answerOf<Listed[]>(
        `Cannot list ${folder === "" ? `bucket "${id}"` : `folder "${folder}"`}`,
        files.list(folder, range),
      );
      all.push(...page);
    } while (page.length === PAGE);
    // Storage returns an empty list also where the bucket is missing or hidden.
    if (all.length === 0) await answerOf(`Cannot read bucket "${id}"`, client.storage.getBucket(id));
    // Storage sorts as the database's locale does.
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Storage returns the names that it removed. One that is missing did not exist, or still exists. */
  async function expectGone(names: string[]): Promise<void> {
    const folders = new Set(names.map((name) => name.slice(0, Math.max(0, name.lastIndexOf("/")))));
    for (const folder of folders) {
      const there = new Set(
        (await bucket.list(folder)).map(({ name }) => folder ? `${folder}/${name}` : name),
      );
      const left = names.filter((name) => there.has(name));
      if (left.length > 0) {
        throw new BucketError(
          "refused",
          `Cannot remove "${left[0]}" and ${
            left.length - 1
          } more: Storage reported success but still lists them`,
          "The function needs the project's secret key or service_role key.",
        );
      }
    }
  }
}

/** supabase-js drops the text of a refusal that is not JSON, as what stands before Storage writes it. */
async function readable(answer: Response): Promise<Response> {
  if (answer.ok || answer.body === null || /json/.test(answer.headers.get("content-type") ?? "")) {
    return answer;
  }
  const message = await reasonOf(answer) || answer.statusText;
  return Response.json({ message }, { status: answer.status });
}

function encodedPath(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}

/** Returns the data of an answer. Throws BucketError for its error. */
async function answerOf<T>(
  action: string,
  call: PromiseLike<{ data: T | null; error: StorageFailure | null }>,
): Promise<T> {
  const { data, error } = await call;
  if (error !== null) throw bucketError(action, error);
  return data as T;
}
