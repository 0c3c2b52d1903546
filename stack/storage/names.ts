/** Names, sizes and MIME types: what the Storage API takes. */
import { errors } from "./errors.ts";

const BUCKET_NAME = /^[\w!.*'() &$=@;:+,?-]{1,100}$/;
const OBJECT_NAME = /^[\w/!.*'() &$=@;:+,?-]+$/;
const MIME_TYPE = /^[\w.+-]+\/[\w.+-]+(;\s*charset=[\w-]+)?$|\*$/;
const SIZE = /^(\d+(?:\.\d+)?)(gb|mb|kb|b)$/i;

/** Decimal, as storage vendors count. */
const UNIT: Record<string, number> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9 };

/** Throws InvalidBucketName unless `name` may name a bucket. */
export function checkBucketName(name: string): void {
  if (!BUCKET_NAME.test(name) || name.trim() !== name) throw errors.invalidBucketName();
}

/** Throws InvalidKey unless `name` may name an object. */
export function checkObjectName(name: string): void {
  if (!OBJECT_NAME.test(name)) throw errors.invalidKey(name);
}

/** Throws InvalidMimeType unless each may stand in a bucket's list: `type/subtype`, `type/*` or `*`. */
export function checkMimeTypes(types: string[]): void {
  for (const type of types) {
    if (type.length > 1000 || !MIME_TYPE.test(type)) throw errors.invalidMimeType(type);
  }
}

/** Throws InvalidMimeType when `allowed` has entries and none of them covers `type`. */
export function checkAllowed(type: string, allowed: string[] | null): void {
  if (!allowed?.length) return;
  const [kind] = type.split("/");
  const covers = (entry: string) => entry === type || (type.includes("/") && entry === `${kind}/*`);
  if (!allowed.some(covers)) throw errors.invalidMimeType(type);
}

/** Bytes of a bucket's limit, a number or a text such as "50MB". Throws EntityTooLarge above the project's limit. */
export function sizeLimit(limit: number | string, projectLimit: number): number {
  const bytes = typeof limit === "number" ? limit : parseSize(limit);
  if (bytes > projectLimit) throw errors.tooLarge();
  return bytes;
}

function parseSize(text: string): number {
  const [, value, unit] = SIZE.exec(text) ?? [];
  if (value === undefined || unit === undefined) {
    throw errors.invalidRequest(`body/file_size_limit must match pattern "${SIZE.source}"`);
  }
  return Number(Number(value).toPrecision(3)) * UNIT[unit.toLowerCase()]!;
}
