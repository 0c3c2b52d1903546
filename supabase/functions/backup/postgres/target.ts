/** A connection string, taken apart. */
import { BackupError } from "../errors.ts";

/** libpq's names (PostgreSQL documentation, 34.19 SSL Support). */
export type SslMode =
  | "disable"
  | "allow"
  | "prefer"
  | "require"
  | "verify-ca"
  | "verify-full";

export interface Target {
  /** Host name, address, or the folder of a Unix socket (begins with a slash). */
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  sslMode: SslMode;
  /** Path of a file with trusted certificates; `null` for the system's. */
  sslRootCert: string | null;
}

const SSL_MODES: readonly string[] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const HINT = "Write it as postgresql://user:password@host:5432/database?sslmode=require";

/**
 * Takes `postgresql://user:password@host:port/database?sslmode=…&sslrootcert=…&host=…`; what is missing is libpq's
 * default. Throws BackupError `bad_request`, which never repeats the string: it holds a password.
 */
export function parseTarget(text: string): Target {
  const url = parseUrl(text);
  const sslMode = url.searchParams.get("sslmode") ?? "prefer";
  if (!SSL_MODES.includes(sslMode)) {
    throw new BackupError(
      "bad_request",
      `The connection string has an unknown sslmode "${sslMode}"`,
      HINT,
    );
  }
  const user = decodeURIComponent(url.username) || "postgres";
  return {
    // URL writes an IPv6 address in brackets; the system wants it without.
    host: url.searchParams.get("host") ??
      (url.hostname.replace(/^\[(.*)\]$/, "$1") || "127.0.0.1"),
    port: Number(url.port || url.searchParams.get("port") || 5432),
    user,
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    sslMode: sslMode as SslMode,
    sslRootCert: url.searchParams.get("sslrootcert"),
  };
}

function parseUrl(text: string): URL {
  let url: URL;
  try {
    // Hosts of unknown schemes keep their case and are not checked; http's rules are the ones wanted here.
    const rest = text.match(/^postgres(?:ql)?:\/\/(.*)$/s)?.[1];
    if (rest === undefined) throw new TypeError("scheme");
    const [authority = ""] = rest.split(/[/?]/, 1);
    const hostless = authority === "" || authority.endsWith("@");
    url = new URL(
      `http://${hostless ? `${authority}127.0.0.1${rest.slice(authority.length)}` : rest}`,
    );
    decodeURIComponent(url.username + url.password + url.pathname);
  } catch {
    throw new BackupError("bad_request", "The connection string is not a PostgreSQL URL", HINT);
  }
  // http hides its own default port.
  if (
    url.port === "" &&
    /^[^/?]*:80(?:[/?]|$)/.test(text.replace(/^\w+:\/\//, ""))
  ) {
    url.searchParams.set("port", "80");
  }
  return url;
}
