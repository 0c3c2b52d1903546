/** What an upload's request carries: the bytes, raw or in a form, and what it says of them. */
import type { Context } from "hono";
import { Buffer } from "node:buffer";
import { errors } from "./errors.ts";
import { readForm } from "./multipart.ts";
import { checkAllowed } from "./names.ts";
import { chunks } from "./stream.ts";

export interface Content {
  body: AsyncIterable<Uint8Array>;
  type: string;
  cacheControl: string;
  userMetadata: Record<string, unknown> | undefined;
  /** What the header Content-Length says. */
  declaredSize: number | undefined;
}

/**
 * The content of a request, for a bucket with these limits. Throws EntityTooLarge, InvalidMimeType, and InvalidRequest
 * for a form without a file.
 */
export async function contentOf(c: Context, limit: number, allowed: string[] | null): Promise<Content> {
  const contentType = c.req.header("content-type") ?? "application/octet-stream";
  const body = chunks(c.req.raw.body ?? new Blob().stream());
  const size = declaredSize(c);
  if (contentType.startsWith("multipart/form-data")) {
    const form = await readForm(contentType, body);
    const type = form.fields.get("contentType") ?? form.type;
    checkAllowed(type, allowed);
    const cacheTime = form.fields.get("cacheControl");
    return {
      body: atMost(limit, form.file),
      type,
      cacheControl: cacheTime ? `max-age=${cacheTime}` : "no-cache",
      userMetadata: parsed(form.fields.get("metadata") ?? form.fields.get("userMetadata")),
      declaredSize: size,
    };
  }
  checkAllowed(contentType, allowed);
  // A body of unknown length is not measured: neither is it on the platform.
  if (size !== undefined && size > limit) throw errors.tooLarge();
  const encoded = c.req.header("x-metadata");
  return {
    body,
    type: contentType,
    cacheControl: c.req.header("cache-control") ?? "no-cache",
    userMetadata: parsed(encoded && Buffer.from(encoded, "base64").toString()),
    declaredSize: size,
  };
}

async function* atMost(limit: number, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw errors.tooLarge();
    yield chunk;
  }
}

export function declaredSize(c: Context): number | undefined {
  const header = c.req.header("content-length");
  return header === undefined ? undefined : Number(header);
}

/** JSON that cannot be read is left out, not refused. */
function parsed(json: string | undefined): Record<string, unknown> | undefined {
  try {
    return json === undefined ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** For properties that may be left out, but not be undefined. */
export function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { [key in K]: V };
}
