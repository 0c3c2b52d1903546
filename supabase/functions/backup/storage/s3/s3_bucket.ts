/**
 * A bucket of an S3-compatible service (AWS, R2, B2, MinIO): path-style addresses, Signature Version 4 by aws4fetch.
 * The SHA-256 of what is stored is part of the signature, so the service refuses bytes that changed on the way.
 */
import { Buffer } from "node:buffer";
import { AwsV4Signer } from "aws4fetch";
import { BucketError, checkName, type FileBucket, joined, type StoredObject } from "../bucket.ts";
import { s3Error, type S3Failure, s3Failure } from "./failure.ts";
import type { S3Location } from "./location.ts";
import { elements, textOf } from "./xml.ts";
import { sha256Hex } from "../sha256.ts";
import { arriving, deadline } from "../http/transfer.ts";
import { request } from "../http/requests.ts";

/** An object as the service knows it. */
export interface S3Object {
  bytes: number;
  /** In hexadecimal, as it was stored with; null for an object that another program stored. */
  sha256: string | null;
}

export interface S3Bucket extends FileBucket {
  /** `put` for an object of any name. */
  putFile(name: string, bytes: Uint8Array, contentType: string, sha256: string): Promise<void>;
  /** `remove` for an object of any name. */
  removeFile(name: string): Promise<void>;
  /** Returns null when the object does not exist. */
  head(name: string): Promise<S3Object | null>;
}

export interface S3Options {
  /** Ends the requests under way, when a worker must stop. */
  signal?: AbortSignal;
  /** Milliseconds that a request may take, with its answer's body. */
  timeout?: number;
}

/** As for the project's own bucket: a part of 40 MiB at less than 1 MB/s. */
const TIMEOUT = 60_000;

const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Every service keeps it with the object, also those that know no checksums. */
const SHA256_HEADER = "x-amz-meta-sha256";

/** B2 refuses requests with a checksum: `Unsupported header 'x-amz-checksum-sha256' received for this API call`. */
const KNOWS_NO_CHECKSUM = /x-amz-checksum/i;

interface Call {
  method: string;
  name?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array;
  sha256?: string;
}

/** Makes no request. */
export function s3Bucket(location: S3Location, { signal, timeout = TIMEOUT }: S3Options = {}): S3Bucket {
  const { region, accessKeyId, secretAccessKey } = location;
  const base = `${location.endpoint}/${location.bucket}`;
  const under = location.prefix === "" ? "" : `${location.prefix}/`;
  // The cache keeps the signing key of the day.
  const login = { region, accessKeyId, secretAccessKey, service: "s3", cache: new Map() };
  let checksums = true;

  const bucket: S3Bucket = {
    async put(name, bytes, contentType, sha256) {
      checkName(name);
      await bucket.putFile(name, bytes, contentType, sha256 ?? await sha256Hex(bytes));
    },

    async putFile(name, bytes, contentType, known) {
      const call = (): Call => ({
        method: "PUT",
        name,
        body: bytes,
        sha256: known,
        headers: {
          "content-type": contentType,
          [SHA256_HEADER]: known,
          ...(checksums ? { "x-amz-checksum-sha256": base64(known) } : {}),
        },
      });
      await drained(await answered(`Cannot store "${name}" in the second bucket`, call));
    },

    get: (name) => bucket.read(name, joined),

    async read(name, consume) {
      checkName(name);
      return await bucket.readFile(name, consume);
    },

    async readFile(name, consume) {
      const action = `Cannot read "${name}" from the second bucket`;
      const { body } = await answered(action, () => ({ method: "GET", name }));
      try {
        return await consume(arriving(body ?? new Blob().stream(), (cause) => unreachable(action, cause)));
      } finally {
        // A consumer that never began would leave the connection open.
        await body?.cancel().catch(() => {});
      }
    },

    async list(folder) {
      const { contents } = await listing(`${under}${folder}/`);
      return contents;
    },

    async folders() {
      const { folders } = await listing(under);
      return folders;
    },

    async remove(names) {
      for (const name of names) {
        checkName(name);
        await bucket.removeFile(name);
      }
    },

    async removeFile(name) {
      const action = `Cannot remove "${name}" from the second bucket`;
      await drained(await answered(action, () => ({ method: "DELETE", name })));
    },

    async head(name) {
      checkName(name);
      const action = `Cannot look up "${name}" in the second bucket`;
      const call = (): Call => ({
        method: "HEAD",
        name,
        headers: checksums ? { "x-amz-checksum-mode": "ENABLED" } : {},
      });
      try {
        const { headers } = await answered(action, call);
        const checksum = headers.get("x-amz-checksum-sha256");
        return {
          bytes: Number(headers.get("content-length")),
          sha256: checksum === null ? headers.get(SHA256_HEADER) : hexadecimal(checksum),
        };
      } catch (error) {
        if (error instanceof BucketError && error.failure === "missing") return null;
        throw error;
      }
    },
  };
  return bucket;

  /** Returns what lies right under a prefix: objects and folders, by name, without the prefix. */
  async function listing(prefix: string): Promise<{ contents: StoredObject[]; folders: string[] }> {
    const contents: StoredObject[] = [];
    const folders: string[] = [];
    let token: string | null = null;
    do {
      const query: Record<string, string> = { "list-type": "2", delimiter: "/", prefix };
      if (token !== null) query["continuation-token"] = token;
      const answer = await answered(
        "Cannot list the second bucket",
        () => ({ method: "GET", query }),
      );
      const xml = await answer.text();
      for (const object of elements(xml, "Contents")) {
        const key = textOf(object, "Key")!;
        // Some consoles create an empty object for a folder.
        if (key !== prefix) {
          contents.push({ name: key.slice(prefix.length), bytes: Number(textOf(object, "Size")) });
        }
      }
      for (const folder of elements(xml, "CommonPrefixes")) {
        folders.push(textOf(folder, "Prefix")!.slice(prefix.length, -1));
      }
      token = textOf(xml, "IsTruncated") === "true" ? textOf(xml, "NextContinuationToken") : null;
    } while (token !== null);
    return { contents: contents.sort((a, b) => a.name < b.name ? -1 : 1), folders: folders.sort() };
  }

  /**
   * Returns the answer to a call that succeeded. `call` is built again for a service that turns out to support no
   * checksums.
   */
  async function answered(action: string, call: () => Call): Promise<Response> {
    const withChecksum = checksums;
    const response = await send(action, call());
    if (response.ok) return response;
    const failure = s3Failure(response.status, await response.text().catch(() => ""));
    if (withChecksum && refusesChecksum(failure)) {
      checksums = false;
      return await answered(action, call);
    }
    throw s3Error(action, failure);
  }

  async function send(action: string, { method, name, query = {}, headers = {}, body, sha256 }: Call) {
    const path = (name ?? "").split("/").map(encodeURIComponent).join("/");
    const url = new URL(name === undefined ? base : `${base}/${under}${path}`);
    if (!url.pathname.endsWith(path)) {
      throw new BucketError(
        "refused",
        `${action}: a URL cannot hold this name`,
        "Rename it, without dots between slashes.",
      );
    }
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    // A name without a value would be signed in another way.
    if (url.searchParams.get("prefix") === "") url.searchParams.delete("prefix");
    const hashed = { ...headers, "x-amz-content-sha256": sha256 ?? SHA256_OF_NOTHING };
    const signed = await new AwsV4Signer({ ...login, method, url: url.href, headers: hashed }).sign();
    const init = { method, headers: signed.headers, signal: deadline(timeout, signal) };
    try {
      // The owner has said which host to trust with a database; no redirect may change that.
      return await request(signed.url, { ...init, ...(body ? { body } : {}), redirect: "manual" });
    } catch (error) {
      signal?.throwIfAborted();
      throw unreachable(action, error);
    }
  }
}

/** HEAD has no body that could give a reason. */
function refusesChecksum({ status, code, message }: S3Failure): boolean {
  return (status === 400 || status === 501) && (code === "" || KNOWS_NO_CHECKSUM.test(message));
}

function unreachable(action: string, error: unknown): BucketError {
  return new BucketError(
    "temporary",
    `${action}: ${error instanceof Error ? error.message : error}`,
    "If it lasts, check BACKUP_S3_ENDPOINT, and whether the service is up.",
    error,
  );
}

async function drained(response: Response): Promise<void> {
  await response.body?.cancel();
}

function base64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}

/** A checksum of several parts has a dash, and is not the object's. */
function hexadecimal(checksum: string): string | null {
  if (checksum.includes("-")) return null;
  return Buffer.from(checksum, "base64").toString("hex");
}
