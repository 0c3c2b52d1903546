/** ListObjectsV2: pages of at most a thousand keys and common prefixes, in the order of their UTF-8 bytes. */
import { escaped, S3Error } from "./errors.ts";

export interface Listed {
  key: string;
  bytes: number;
  etag: string;
  storedAt: Date;
}

const MOST = 1000;

/** The XML of one page. Throws S3Error for what is not list-type 2 or not a token of ours. */
export function listPage(bucket: string, objects: readonly Listed[], query: URLSearchParams): string {
  if (query.get("list-type") !== "2") throw new S3Error(501, "NotImplemented", "Only ListObjectsV2 is here.");
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const most = Math.min(MOST, Number(query.get("max-keys") ?? MOST));
  const after = startOf(query);
  const sorted = objects.filter(({ key }) => key.startsWith(prefix)).sort((a, b) => byteOrder(a.key, b.key));
  const lines: string[] = [];
  let last = "";
  let truncated = false;
  for (const { key, bytes, etag, storedAt } of sorted) {
    const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const name = cut < 0 ? key : key.slice(0, cut + delimiter.length);
    // A token that ends with a common prefix has all its keys behind it.
    if (name === last || byteOrder(key, after) <= 0 || cut >= 0 && byteOrder(name, after) <= 0) continue;
    if (lines.length === most) {
      truncated = true;
      break;
    }
    last = name;
    lines.push(
      cut >= 0
        ? `<CommonPrefixes><Prefix>${escaped(name)}</Prefix></CommonPrefixes>`
        : `<Contents><Key>${escaped(key)}</Key><LastModified>${storedAt.toISOString()}</LastModified>` +
          `<ETag>&quot;${etag}&quot;</ETag><Size>${bytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
    );
  }
  const next = truncated
    ? `<NextContinuationToken>${btoa(encodeURIComponent(last))}</NextContinuationToken>`
    : "";
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
    `<Name>${bucket}</Name><Prefix>${escaped(prefix)}</Prefix><KeyCount>${lines.length}</KeyCount>` +
    `<MaxKeys>${most}</MaxKeys><IsTruncated>${truncated}</IsTruncated>${next}${
      lines.join("")
    }</ListBucketResult>`;
}

function startOf(query: URLSearchParams): string {
  const token = query.get("continuation-token");
  if (token === null) return query.get("start-after") ?? "";
  if (!/^[A-Za-z0-9+/]+=*$/.test(token)) {
    throw new S3Error(400, "InvalidArgument", "The continuation token provided is incorrect");
  }
  return decodeURIComponent(atob(token));
}

/** Of the UTF-8 forms; JavaScript compares UTF-16. */
function byteOrder(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
