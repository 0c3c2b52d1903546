/** Where the second copy goes: an S3-compatible bucket, named by the function's secrets. */
import { BackupError } from "../../errors.ts";

export interface S3Location {
  /** Scheme and host of the service, such as `https://s3.eu-central-1.amazonaws.com`; of Storage with its path. */
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
/** Needs no encoding in a URL, and is not a step upwards. */
const FOLDER = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
/** Of the S3 endpoint of Supabase Storage. */
const STORAGE_PATH = "/storage/v1/s3";
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Returns null where none of the variables is set. Throws BackupError `not_configured`, which repeats no value. */
export function s3Location(environment: (name: string) => string | undefined): S3Location | null {
  const values = VARIABLES.map((name) => environment(name)?.trim() ?? "");
  if (values.every((value) => value === "")) return null;
  const missing = VARIABLES.filter((_, index) => values[index] === "");
  if (missing.length > 0) throw wrong(`${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} not set`);
  const [endpoint = "", region = "", bucket = "", accessKeyId = "", secretAccessKey = ""] = values;
  const prefix = (environment(PREFIX_VARIABLE) ?? "").trim().replace(/^\/+|\/+$/g, "");
  if (!REGION.test(region)) throw wrong("BACKUP_S3_REGION is not a valid region name");
  if (!BUCKET.test(bucket)) throw wrong("BACKUP_S3_BUCKET is not a valid bucket name");
  if (prefix !== "" && !prefix.split("/").every((folder) => FOLDER.test(folder))) {
    throw wrong(
      `${PREFIX_VARIABLE} is not a valid path: use letters, digits, dots, dashes and underscores, and a slash between folders`,
    );
  }
  return { endpoint: serviceOf(endpoint), region, bucket, prefix, accessKeyId, secretAccessKey };
}

/** Returns whether the bucket is in the project itself: a copy there goes when the project goes. */
export function isInProject({ endpoint }: S3Location, projectUrl: string): boolean {
  const refOf = (url: string) => new URL(url).hostname.replace(/^([^.]+)\.storage\./, "$1.");
  return endpoint.endsWith(STORAGE_PATH) && refOf(endpoint) === refOf(projectUrl);
}

/** On plain HTTP anybody on the way reads the whole database; only tests on this machine go without TLS. */
function serviceOf(endpoint: string): string {
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch {
    throw wrong("BACKUP_S3_ENDPOINT is not a valid URL");
  }
  const secure = url.protocol === "https:" || url.protocol === "http:" && LOOPBACK.test(url.hostname);
  if (!secure) throw wrong("BACKUP_S3_ENDPOINT does not begin with https://");
  const path = url.pathname.replace(/\/$/, "");
  if (url.username + url.password + url.search + url.hash !== "" || !["", STORAGE_PATH].includes(path)) {
    throw wrong(
      "BACKUP_S3_ENDPOINT has more than scheme, host and port: leave out the path, and name the bucket in BACKUP_S3_BUCKET",
    );
  }
  return url.origin + path;
}

function wrong(what: string): BackupError {
  return new BackupError(
    "not_configured",
    `Cannot use the second bucket: ${what}`,
    "Set the function's secrets as docs/second-copy.md says: supabase secrets set BACKUP_S3_ENDPOINT=…",
  );
}
