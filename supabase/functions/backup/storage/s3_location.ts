/** Where the second copy goes: an S3-compatible bucket, named by the function's secrets. */
import { BackupError } from "../errors.ts";

export interface S3Location {
  /** Scheme and host of the service, such as `https://s3.eu-central-1.amazonaws.com`. */
  endpoint: string;
  region: string;
  bucket: string;
  /** Folders before each name, without slashes at its ends; may be empty. */
  prefix: string;
  accessKeyId: string;
  secretAccessKey: string;
}

const VARIABLES = [
  "BACKUP_S3_ENDPOINT",
  "BACKUP_S3_REGION",
  "BACKUP_S3_BUCKET",
  "BACKUP_S3_ACCESS_KEY_ID",
  "BACKUP_S3_SECRET_ACCESS_KEY",
];
const PREFIX_VARIABLE = "BACKUP_S3_PREFIX";

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;
const REGION = /^[A-Za-z0-9-]{1,64}$/;
/** What needs no encoding in a URL, and is no step upwards. */
const FOLDER = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Null where none of the variables is set. Throws BackupError `not_configured`, which names no value. */
export function s3Location(environment: (name: string) => string | undefined): S3Location | null {
  const values = VARIABLES.map((name) => environment(name)?.trim() ?? "");
  if (values.every((value) => value === "")) return null;
  const missing = VARIABLES.filter((_, index) => values[index] === "");
  if (missing.length > 0) throw wrong(`${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} not set`);
  const [endpoint = "", region = "", bucket = "", accessKeyId = "", secretAccessKey = ""] = values;
  const prefix = (environment(PREFIX_VARIABLE) ?? "").trim().replace(/^\/+|\/+$/g, "");
  if (!REGION.test(region)) throw wrong("BACKUP_S3_REGION is no name of a region");
  if (!BUCKET.test(bucket)) throw wrong("BACKUP_S3_BUCKET is no name of a bucket");
  if (prefix !== "" && !prefix.split("/").every((folder) => FOLDER.test(folder))) {
    throw wrong(
      `${PREFIX_VARIABLE} is no path: folders of letters, digits, dots, dashes and underscores, divided by a slash`,
    );
  }
  return { endpoint: originOf(endpoint), region, bucket, prefix, accessKeyId, secretAccessKey };
}

/** Whoever reads along on plain HTTP has the whole database; only tests on this machine go without TLS. */
function originOf(endpoint: string): string {
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch {
    throw wrong("BACKUP_S3_ENDPOINT is no URL");
  }
  const secure = url.protocol === "https:" || url.protocol === "http:" && LOOPBACK.test(url.hostname);
  if (!secure) throw wrong("BACKUP_S3_ENDPOINT does not begin with https://");
  if (url.username + url.password + url.search + url.hash !== "" || url.pathname !== "/") {
    throw wrong("BACKUP_S3_ENDPOINT has more than scheme, host and port; the bucket is BACKUP_S3_BUCKET");
  }
  return url.origin;
}

function wrong(what: string): BackupError {
  return new BackupError(
    "not_configured",
    `The second copy is not configured: ${what}`,
    "Set the function's secrets as docs/second-copy.md says: supabase secrets set BACKUP_S3_ENDPOINT=… and so on.",
  );
}
