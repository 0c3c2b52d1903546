/** Errors of a connection that does not come about: what the server or the network said, and what to do. */
import { BackupError } from "../errors.ts";
import type { Target } from "./target.ts";

/** `database_unreachable`. Reason and hint name neither host nor role: a caller who may be anybody is told them. */
export class UnreachableError extends BackupError {
  readonly reason: string;

  constructor(message: string, reason: string, hint: string, cause?: unknown) {
    super("database_unreachable", message, hint, cause);
    this.name = "UnreachableError";
    this.reason = reason;
  }
}

const RESTRICTIONS =
  "Network Restrictions keep Edge Functions from the direct connection: set the secret BACKUP_DB_URL to " +
  "the session pooler's URL, as docs/operations.md says.";
const CERTIFICATE_HINT =
  "Name the authority of its certificate: in a command with --ssl-root-cert FILE or sslrootcert=FILE in the URL, " +
  "in the function with the secret BACKUP_DB_CA. Supabase's is in the dashboard's database settings. Certificates are always " +
  "verified, also with sslmode=require; sslmode=prefer goes on without encryption.";

/** `variable` is where the connection string comes from, in the function; undefined elsewhere. */
function loginHint(variable: string | undefined): string {
  const place = variable === undefined
    ? 'In a connection string, "#", "/", "?", "%" and "@" of a password are written %23 %2F %3F %25 %40.'
    : `The function has them in ${variable}.`;
  return `Check the role and its password, which the dashboard can reset. ${place}`;
}

function networkHint({ host }: Target, variable: string | undefined): string {
  const restrictions = variable === undefined ? "" : ` ${RESTRICTIONS}`;
  return `Check host, port and network. Resume the project if it is paused.${restrictions}${
    poolerAdvice(host)
  }`;
}

/** A project's own host has an IPv6 address only, which many networks cannot reach. */
function poolerAdvice(host: string): string {
  const isProject = /^db\.[a-z0-9]+\.supabase\.\w+$/.test(host);
  if (!isProject && !/^[0-9a-f]*:[0-9a-f:.]*$/i.test(host)) return "";
  return " The host has an IPv6 address only. Where the network has no IPv6, use the session pooler: host " +
    "aws-0-REGION.pooler.supabase.com, port 5432, user postgres.PROJECT-REF. The dashboard shows it under Connect.";
}

/** Returns what an error says, in one line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The deadline of a connection has passed. */
export function silentError(target: Target, seconds: number, variable: string | undefined): UnreachableError {
  const { host, port } = target;
  const reason = `no answer within ${seconds} s`;
  return new UnreachableError(
    `Cannot connect to the database at ${host}:${port}: ${reason}`,
    reason,
    networkHint(target, variable),
  );
}

/** The server has no encryption, which the connection string demands. */
export function noEncryptionError({ host, sslMode }: Target): UnreachableError {
  return new UnreachableError(
    `The server at ${host} does not offer encryption, which sslmode=${sslMode} requires`,
    "the server does not offer encryption",
    "Use the host that Supabase shows under Connect, or sslmode=disable on a trusted network.",
  );
}

export function isCertificateError(error: unknown): boolean {
  return error instanceof Deno.errors.InvalidData || /certificate/i.test(String(error));
}

/** Returns the error of an encrypted connection that failed where nothing else may do; others as they are. */
export function untrustedError(target: Target, error: unknown): unknown {
  if (!isCertificateError(error)) return error;
  const reason = `the server's certificate is not trusted: ${reasonOf(error)}`;
  return new UnreachableError(
    `Cannot connect to the database at ${target.host}:${target.port}: ${reason}`,
    reason,
    CERTIFICATE_HINT,
    error,
  );
}

/** Returns the error of a login that failed; `cleartext` is why the connection was not encrypted, null where it was. */
export function unreachableError(
  target: Target,
  error: unknown,
  cleartext: string | null,
  variable: string | undefined,
): UnreachableError {
  if (error instanceof UnreachableError) return error;
  const { host, port, user, database } = target;
  const where = `${host}:${port}`;
  const code = (error as { code?: string }).code ?? "";
  // The file's name is the same in every language.
  if (code === "28000" && /pg_hba\.conf/.test(reasonOf(error)) && cleartext !== null) {
    const reason = `the server requires encryption; ${cleartext}`;
    return new UnreachableError(
      `Cannot connect to the database at ${where}: ${reason}`,
      reason,
      CERTIFICATE_HINT,
      error,
    );
  }
  if (code === "28P01" || code === "28000") {
    return new UnreachableError(
      `Cannot log in to the database at ${where} as role "${user}"`,
      "the login was refused",
      loginHint(variable),
      error,
    );
  }
  if (code === "3D000") {
    const reason = "the named database does not exist";
    return new UnreachableError(
      `Database "${database}" does not exist at ${where}`,
      reason,
      "Check its name.",
      error,
    );
  }
  const said = reasonOf(error);
  return new UnreachableError(
    `Cannot connect to the database at ${where}: ${said}`,
    // A message of the server may name the role; those of the network name nobody.
    /^[0-9A-Z]{5}$/.test(code) ? `the server answered with SQLSTATE ${code}` : said.replaceAll(host, "host"),
    networkHint(target, variable),
    error,
  );
}
