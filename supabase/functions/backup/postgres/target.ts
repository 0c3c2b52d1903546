/** Connection strings: PostgreSQL URLs, taken as libpq takes them (PostgreSQL documentation, 34.1.1.2). */
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
  /** It gives a server connection for one transaction only: settings and locks of a session get lost there. */
  transactionPooler: boolean;
}

/** What a session has in the place of the project's own. */
export type Login = Partial<Pick<Target, "database" | "user" | "password">>;

const SSL_MODES: readonly string[] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const HINT = "Write it as postgresql://user:password@host:5432/database?sslmode=require";
const SIGNS =
  'In a user name or password, write "#", "/", "?", "%", "@" and "\\" as %23 %2F %3F %25 %40 %5C, or leave the password ' +
  "out and set PGPASSWORD.";

/** Login, host, port, database, parameters. */
const FORM =
  /^postgres(?:ql)?:\/\/(?:([^@/]*)@)?((?:\[[^\]/?]*\]|[^/?:[\]])*)(?::([^/?]*))?(?:\/([^?]*))?(?:\?(.*))?$/s;

/** They decide neither where a session goes nor as whom. Other programs read some of them in the same URL. */
const PASSED_OVER = new Set([
  "application_name",
  "channel_binding",
  "client_encoding",
  "connect_timeout",
  "fallback_application_name",
  "gssencmode",
  "keepalives",
  "keepalives_count",
  "keepalives_idle",
  "keepalives_interval",
  "load_balance_hosts",
  "ssl_max_protocol_version",
  "ssl_min_protocol_version",
  "sslcompression",
  "sslsni",
  "gssdelegation",
  "gsslib",
  "krbsrvname",
  "max_protocol_version",
  "min_protocol_version",
  "sslcertmode",
  "sslnegotiation",
  "target_session_attrs",
  "tcp_user_timeout",
  "connection_limit",
  "pool_timeout",
  "prepared_statements",
  "schema",
  "statement_cache_size",
  "uselibpqcompat",
]);

const TRANSACTION_POOLER_PORT = 6543;
const LOCAL = /^(localhost$|127\.|::1$|\/)/;

/** Whether nobody else can read what is sent to this host, because it is this machine. */
export function isLocal(host: string): boolean {
  return LOCAL.test(host);
}

/**
 * Parses `postgresql://user:password@host:port/database?sslmode=…&sslrootcert=…`; parameters of libpq's names win,
 * and its defaults fill in what is missing, but for the sslmode of hosts that are not this machine. Throws BackupError
 * `bad_request`, which never repeats the string: it holds a password.
 */
export function parseTarget(text: string, otherMachines: SslMode = "prefer"): Target {
  const [, login = "", hostSpec = "", portSpec = "", path = "", query = ""] = FORM.exec(text) ??
    invalid(text);
  if (login === "" && path.includes("@")) {
    throw notUrl("what is before the @ is not a user and a password", SIGNS);
  }
  const [, userSpec = "", passwordSpec = ""] = /^([^:]*):?(.*)$/s.exec(login)!;
  const given = parametersOf(query);
  const value = (name: string, spec: string) => given.get(name) ?? decoded(spec);
  // An IPv6 address has brackets in a URL; the system wants it without.
  const host = value("host", hostSpec.replace(/^\[(.*)\]$/, "$1")) || "127.0.0.1";
  if (/,/.test(host + portSpec)) {
    throw new BackupError("bad_request", "The connection string names several hosts", "Name one host.");
  }
  if (/[@\s]/.test(host)) throw notUrl("its host is not the name of a host", SIGNS);
  const portText = value("port", portSpec) || "5432";
  const port = Number(portText);
  if (!/^\d+$/.test(portText) || port < 1 || port > 65535) throw notUrl("its port is not a number", SIGNS);
  const user = value("user", userSpec) || "postgres";
  const sslMode = given.get("sslmode") ??
    (given.get("ssl") === "true" ? "require" : isLocal(host) ? "prefer" : otherMachines);
  if (!SSL_MODES.includes(sslMode)) {
    throw new BackupError("bad_request", `The connection string has an invalid sslmode "${sslMode}"`, HINT);
  }
  return {
    host,
    port,
    user,
    password: value("password", passwordSpec),
    database: value("dbname", path) || user,
    sslMode: sslMode as SslMode,
    sslRootCert: given.get("sslrootcert") ?? null,
    transactionPooler: given.get("pgbouncer") === "true" ||
      (port === TRANSACTION_POOLER_PORT && !isLocal(host)),
  };
}

/** Returns the target with another login. A pooler finds the project by what follows a user's name: `role.ref`. */
export function withLogin(target: Target, login: Login): Target {
  const [project = ""] = /\.[a-z]{20}$/.exec(target.user) ?? [];
  const user = login.user === undefined ? target.user : login.user + project;
  return { ...target, ...login, user };
}

/** Returns the URL of a target. */
export function urlOf(target: Target): string {
  const { host, port, user, password, database, sslMode, sslRootCert, transactionPooler } = target;
  const login = encodeURIComponent(user) + (password === "" ? "" : `:${encodeURIComponent(password)}`);
  const place = host.startsWith("/") ? "" : host.includes(":") ? `[${host}]` : host;
  const parameters = new Map([["sslmode", sslMode as string]]);
  if (place === "") parameters.set("host", host);
  if (sslRootCert !== null) parameters.set("sslrootcert", sslRootCert);
  if (transactionPooler) parameters.set("pgbouncer", "true");
  const query = [...parameters].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  return `postgresql://${login}@${place}:${port}/${encodeURIComponent(database)}?${query}`;
}

function parametersOf(query: string): Map<string, string> {
  const given = new Map<string, string>();
  for (const pair of query.split("&").filter((pair) => pair !== "")) {
    const [, name = "", value] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
    if (value === undefined) throw notUrl("a parameter has no value", HINT);
    if (!TAKEN.has(name) && !PASSED_OVER.has(name)) {
      // A password with a question mark may be here: it is not repeated.
      const what = /^[a-z_]{1,40}$/.test(name) ? `parameter "${name}"` : "parameter";
      throw new BackupError(
        "bad_request",
        `The connection string has an unknown ${what}`,
        `It may have ${[...TAKEN].join(", ")}. ${SIGNS}`,
      );
    }
    given.set(name, decoded(value));
  }
  return given;
}

const TAKEN = new Set([
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "sslmode",
  "ssl",
  "sslrootcert",
  "pgbouncer",
]);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw notUrl('a "%" is not followed by two hexadecimal digits', SIGNS);
  }
}

function invalid(text: string): never {
  throw /^postgres(ql)?:\/\//.test(text)
    ? notUrl("its host is not the name of a host", SIGNS)
    : notUrl("it does not begin with postgresql://", HINT);
}

function notUrl(why: string, hint: string): BackupError {
  return new BackupError("bad_request", `The connection string is not a PostgreSQL URL: ${why}`, hint);
}
