/**
 * A stand-in for an S3-compatible service: the operations, statuses and XML errors of PUT, GET, HEAD, DELETE and
 * ListObjectsV2 on path-style addresses. It verifies Signature Version 4 with code of its own, and keeps objects in
 * memory.
 */
import { createHash } from "node:crypto";
import { S3Error } from "./errors.ts";
import { listPage } from "./listing.ts";
import { type Credentials, verifySignature } from "./signature.ts";

export type Right = "put" | "get" | "list" | "delete";

export interface S3Key extends Credentials {
  /** Everything without it. */
  may?: readonly Right[];
}

export interface StoredS3Object {
  bytes: Uint8Array;
  contentType: string;
  /** `x-amz-meta-…`, by full name. */
  meta: Record<string, string>;
  /** Base64; null where none was sent or the service knows none. */
  sha256: string | null;
  storedAt: Date;
}

export interface S3Options {
  keys: S3Key[];
  buckets: string[];
  region?: string;
  /** Comes before the bucket in addresses, as Supabase Storage has it. */
  path?: string;
  port?: number;
  /** False for a service that refuses checksum headers, as B2 does. */
  checksums?: boolean;
  now?: () => Date;
  /** Answers in place of the service; null lets the request through. */
  intercept?: (request: Request) => Promise<Response | null> | Response | null;
}

export interface S3 {
  url: string;
  /** By bucket, then by key; tests look at it and damage it. */
  buckets: Map<string, Map<string, StoredS3Object>>;
  /** `METHOD key` of all requests so far, and their statuses. */
  requests: { method: string; key: string; status: number }[];
  keys: S3Key[];
  stop(): Promise<void>;
}

/** Starts to serve on 127.0.0.1. */
export function startS3(options: S3Options): S3 {
  const {
    path = "",
    region = "us-east-1",
    checksums = true,
    now = () => new Date(),
    intercept = () => null,
  } = options;
  const buckets = new Map(options.buckets.map((name) => [name, new Map<string, StoredS3Object>()]));
  const requests: S3["requests"] = [];
  const keys = [...options.keys];

  async function respond(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const [, name = "", ...rest] = url.pathname.slice(path.length).split("/").map(decodeURIComponent);
    const key = rest.join("/");
    const answer = await answerTo(request, url, name, key).catch((error) => {
      if (!(error instanceof S3Error)) throw error;
      const body = request.method === "HEAD" ? null : error.body(url.pathname);
      return new Response(body, { status: error.status, headers: { "content-type": "application/xml" } });
    });
    requests.push({ method: request.method, key, status: answer.status });
    return answer;
  }

  async function answerTo(request: Request, url: URL, name: string, key: string): Promise<Response> {
    const { method, headers } = request;
    const instead = await intercept(request);
    if (instead !== null) return instead;
    const caller = verifySignature({ method, url, headers }, keys, region, now());
    const right =
      ({ PUT: "put", GET: key === "" ? "list" : "get", HEAD: "get", DELETE: "delete" } as const)[method];
    if (right === undefined) throw new S3Error(405, "MethodNotAllowed", "The method is not allowed here.");
    if (!checksums) refuseChecksums(headers);
    if (!(caller.may ?? [right]).includes(right)) throw new S3Error(403, "AccessDenied", "Access Denied");
    const bucket = buckets.get(name);
    if (bucket === undefined) throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist");
    if (right === "list") {
      const listed = Array.from(bucket, ([key, object]) => ({
        key,
        bytes: object.bytes.length,
        etag: md5(object.bytes),
        storedAt: object.storedAt,
      }));
      return new Response(listPage(name, listed, url.searchParams), {
        headers: { "content-type": "application/xml" },
      });
    }
    if (right === "put") return await put(request, bucket, key);
    if (right === "delete") {
      bucket.delete(key);
      return new Response(null, { status: 204 });
    }
    const object = bucket.get(key);
    if (object === undefined) throw new S3Error(404, "NoSuchKey", "The specified key does not exist.");
    return new Response(method === "HEAD" ? null : object.bytes, { headers: headersOf(object, headers) });
  }

  async function put(
    { headers, body }: Request,
    bucket: Map<string, StoredS3Object>,
    key: string,
  ): Promise<Response> {
    const length = headers.get("content-length");
    if (length === null) {
      throw new S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
    }
    const bytes = new Uint8Array(await new Response(body).arrayBuffer());
    if (bytes.length !== Number(length)) {
      throw new S3Error(400, "IncompleteBody", "The request body terminated unexpectedly");
    }
    const hash = createHash("sha256").update(bytes).digest();
    const said = headers.get("x-amz-content-sha256");
    if (said !== "UNSIGNED-PAYLOAD" && said !== hash.toString("hex")) {
      throw new S3Error(
        400,
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    const checksum = headers.get("x-amz-checksum-sha256");
    if (checksum !== null && checksum !== hash.toString("base64")) {
      throw new S3Error(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.");
    }
    bucket.set(key, {
      bytes,
      contentType: headers.get("content-type") ?? "binary/octet-stream",
      meta: Object.fromEntries([...headers].filter(([name]) => name.startsWith("x-amz-meta-"))),
      sha256: checksum,
      storedAt: now(),
    });
    return new Response(null, {
      headers: {
        etag: `"${md5(bytes)}"`,
        ...(checksum === null ? {} : { "x-amz-checksum-sha256": checksum }),
      },
    });
  }

  const server = Deno.serve({ hostname: "127.0.0.1", port: options.port ?? 0, onListen: () => {} }, respond);
  return {
    url: `http://127.0.0.1:${server.addr.port}${path}`,
    buckets,
    requests,
    keys,
    stop: () => server.shutdown(),
  };
}

function headersOf({ bytes, contentType, meta, sha256 }: StoredS3Object, asked: Headers): HeadersInit {
  return {
    "content-length": String(bytes.length),
    "content-type": contentType,
    etag: `"${md5(bytes)}"`,
    "accept-ranges": "bytes",
    ...meta,
    ...(sha256 !== null && asked.get("x-amz-checksum-mode") === "ENABLED"
      ? { "x-amz-checksum-sha256": sha256 }
      : {}),
  };
}

function refuseChecksums(headers: Headers): void {
  for (const name of headers.keys()) {
    if (name.startsWith("x-amz-checksum-")) {
      throw new S3Error(400, "InvalidArgument", `Unsupported header '${name}' received for this API call.`);
    }
  }
}

function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}
