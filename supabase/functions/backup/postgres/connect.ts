/** An open byte stream to the server, encrypted as the connection string asks. */
import type { Target } from "./target.ts";
import { isCertificateError, noEncryptionError, reasonOf, untrustedError } from "./unreachable.ts";

/** Length 8, code 80877103 (PostgreSQL documentation, 55.7 Message Formats, SSLRequest). */
const SSL_REQUEST = new Uint8Array([0, 0, 0, 8, 4, 210, 22, 47]);
const SSL_ACCEPTED = "S".charCodeAt(0);

export interface Connection {
  stream: Deno.Conn;
  /** Why it is not encrypted; null where it is. */
  cleartext: string | null;
}

/**
 * Connects. `allow` and `prefer` take encryption where the server has it and its certificate is trusted; from `require`
 * on nothing is ever sent in clear. Deno's TLS always verifies certificate and host name, so `require` and `verify-ca`
 * are as strict as `verify-full` here. Stops, with the signal's reason, when `signal` is aborted.
 */
export async function connect(
  target: Target,
  signal: AbortSignal,
  rootCertificate?: string,
): Promise<Connection> {
  if (target.host.startsWith("/")) {
    const path = `${target.host}/.s.PGSQL.${target.port}`;
    return { stream: await Deno.connect({ transport: "unix", path }), cleartext: "it is a Unix socket" };
  }
  if (target.sslMode === "disable") {
    return { stream: await connectPlain(target, signal), cleartext: "sslmode is disable" };
  }
  const optional = target.sslMode === "allow" || target.sslMode === "prefer";
  let cleartext = "the server does not offer encryption";
  try {
    const stream = await connectEncrypted(target, signal, await trusted(target, rootCertificate));
    if (stream !== null) return { stream, cleartext: null };
    if (!optional) throw noEncryptionError(target);
  } catch (error) {
    signal.throwIfAborted();
    if (!optional) throw untrustedError(target, error);
    const what = isCertificateError(error) ? "its certificate is not trusted" : "encryption failed";
    cleartext = `${what}: ${reasonOf(error)}`;
  }
  // A stream cannot be used after a failed handshake: connect again, as libpq does.
  return { stream: await connectPlain(target, signal), cleartext };
}

async function connectPlain({ host, port }: Target, signal: AbortSignal): Promise<Deno.TcpConn> {
  signal.throwIfAborted();
  const opening = Deno.connect({ hostname: host, port });
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => {
    reject(signal.reason);
    opening.then((connection) => connection.close(), () => {});
  };
  signal.addEventListener("abort", abort);
  try {
    const connection = await Promise.race([opening, aborted]);
    // Small messages must not wait for each other; a half-dead peer must be noticed.
    connection.setNoDelay(true);
    connection.setKeepAlive(true);
    return connection;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Returns null when the server declines encryption. */
async function connectEncrypted(
  target: Target,
  signal: AbortSignal,
  caCerts: string[],
): Promise<Deno.Conn | null> {
  const connection = await connectPlain(target, signal);
  // startTls takes the plain connection over: from then on only its result can be closed.
  let open: Deno.Conn = connection;
  const abort = () => open.close();
  signal.addEventListener("abort", abort);
  try {
    await connection.write(SSL_REQUEST);
    const answer = new Uint8Array(1);
    if (await connection.read(answer) === null || answer[0] !== SSL_ACCEPTED) {
      connection.close();
      return null;
    }
    const encrypted = await Deno.startTls(connection, { hostname: target.host, caCerts });
    open = encrypted;
    await encrypted.handshake();
    return encrypted;
  } catch (error) {
    if (!signal.aborted) open.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Certificates of authorities beside the system's. */
async function trusted({ sslRootCert }: Target, given: string | undefined): Promise<string[]> {
  const file = sslRootCert === null || sslRootCert === "system" ? [] : [await Deno.readTextFile(sslRootCert)];
  return [...file, ...(given === undefined ? [] : [given])];
}
