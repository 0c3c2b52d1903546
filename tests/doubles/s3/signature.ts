/** Signature Version 4 of S3 requests, computed anew from what arrived: a second opinion on the library that signs. */
import { createHash, createHmac } from "node:crypto";
import { S3Error } from "./errors.ts";

/** What a request looked like on the wire. */
export interface Signed {
  method: string;
  /** As sent: percent-encoded, with the query. */
  url: URL;
  headers: Headers;
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** S3 takes no request that is a quarter of an hour off. */
const SKEW_MS = 15 * 60 * 1000;

const HEADER =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/**
 * The credentials that a request was signed with. Throws S3Error as S3 answers: AccessDenied, InvalidAccessKeyId,
 * AuthorizationHeaderMalformed, RequestTimeTooSkewed, SignatureDoesNotMatch.
 */
export function verifySignature<K extends Credentials>(
  request: Signed,
  keys: readonly K[],
  region: string,
  now: Date,
): K {
  const { headers } = request;
  const authorization = headers.get("authorization");
  if (authorization === null) throw new S3Error(403, "AccessDenied", "Access Denied");
  const [, id, day, scope, names, signature] = HEADER.exec(authorization) ?? [];
  if (id === undefined) {
    throw new S3Error(400, "AuthorizationHeaderMalformed", "The authorization header is malformed.");
  }
  const key = keys.find(({ accessKeyId }) => accessKeyId === id);
  if (key === undefined) {
    throw new S3Error(
      403,
      "InvalidAccessKeyId",
      "The AWS access key Id you provided does not exist in our records.",
    );
  }
  if (scope !== region) {
    throw new S3Error(
      400,
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${scope}' is wrong; expecting '${region}'`,
    );
  }
  const date = headers.get("x-amz-date") ?? "";
  const [, ...digits] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const [year, month, ...rest] = digits.map(Number) as [number, number, number, number, number, number];
  const skewed = Math.abs(Date.UTC(year, month - 1, ...rest) - now.getTime()) <= SKEW_MS === false;
  if (digits.length === 0 || skewed || !date.startsWith(day!)) {
    throw new S3Error(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
    );
  }
  const signed = names!.split(";");
  const unsigned = [...headers.keys()].filter((name) => name.startsWith("x-amz-") && !signed.includes(name));
  if (unsigned.length > 0 || !signed.includes("host")) {
    throw new S3Error(403, "AccessDenied", "There were headers present in the request which were not signed");
  }
  const expected = signatureOf(request, signed, key.secretAccessKey, region, date);
  if (signature !== expected) {
    throw new S3Error(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided.",
    );
  }
  return key;
}

/** In hexadecimal. `date` is that of the header `x-amz-date`. */
export function signatureOf(
  { method, url, headers }: Signed,
  signedHeaders: readonly string[],
  secret: string,
  region: string,
  date: string,
): string {
  const canonical = [
    method,
    encoded(decodeURIComponent(url.pathname)).replaceAll("%2F", "/"),
    canonicalQuery(url.search),
    ...signedHeaders.map((name) => `${name}:${(headers.get(name) ?? "").trim().replace(/ +/g, " ")}`),
    "",
    signedHeaders.join(";"),
    headers.get("x-amz-content-sha256"),
  ].join("\n");
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const toSign = [
    "AWS4-HMAC-SHA256",
    date,
    scope,
    createHash("sha256").update(canonical).digest("hex"),
  ].join("\n");
  let signingKey: string | Uint8Array = `AWS4${secret}`;
  for (const part of scope.split("/")) {
    const next: unknown = createHmac("sha256", signingKey).update(part).digest();
    signingKey = next as Uint8Array;
  }
  return createHmac("sha256", signingKey).update(toSign).digest("hex");
}

function canonicalQuery(search: string): string {
  return search.replace(/^\?/, "").split("&").filter((pair) => pair !== "").map((pair) => {
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    return `${encoded(decodeURIComponent(name))}=${encoded(decodeURIComponent(value.replaceAll("+", " ")))}`;
  }).sort().join("&");
}

/** RFC 3986: all but unreserved characters, byte by byte. */
function encoded(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9._~-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}
