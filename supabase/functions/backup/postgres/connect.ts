/** An open byte stream to the server, encrypted as the connection string asks. */
import { BackupError } from "../errors.ts";
import type { Target } from "./target.ts";

/** Length 8, code 80877103 (PostgreSQL documentation, 55.7 Message Formats, SSLRequest). */
const SSL_REQUEST = new Uint8Array([0, 0, 0, 8, 4, 210, 22, 47]);
const SSL_ACCEPTED = "S".charCodeAt(0);

/**
 * Connects. `allow` and `prefer` take encryption where the server has it and its certificate is trusted; from `require`
 * on nothing is ever sent in clear. Deno's TLS always verifies certificate and host name, so `require` and `verify-ca` are as
 * strict as `verify-full` here.
 */
export async function connect(target: Target): Promise<Deno.Conn> {
  if (target.host.startsWith("/")) {
    return await Deno.connect({
      transport: "unix",
      path: `${target.host}/.s.PGSQL.${target.port}`,
    });
  }
  if (target.sslMode === "disable") return await connectPlain(target);
  const optional = target.sslMode === "allow" || target.sslMode === "prefer";
  try {
    const encrypted = await connectEncrypted(target);
    if (encrypted !== null) return encrypted;
  } catch (error) {
    if (!optional) throw untrusted(error);
  }
  if (!optional) {
    throw new BackupError(
      "database_unreachable",
      `The server at ${target.host} does not offer encryption, and sslmode=${target.sslMode} wants it`,
      "Use the host that Supabase shows under Connect, or sslmode=disable on a trusted network.",
    );
  }
  // A failed handshake leaves the stream in no usable state: begin anew, as libpq does.
  return await connectPlain(target);
}

async function connectPlain({ host, port }: Target): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: host, port });
  // Small messages must not wait for each other; a half-dead peer must be noticed.
  connection.setNoDelay(true);
  connection.setKeepAlive(true);
  return connection;
}

/** Null when the server declines encryption. */
async function connectEncrypted(target: Target): Promise<Deno.Conn | null> {
  const connection = await connectPlain(target);
  // startTls takes the plain connection over: then only what it answers can be closed.
  let open: Deno.Conn = connection;
  try {
    await connection.write(SSL_REQUEST);
    const answer = new Uint8Array(1);
    if (await connection.read(answer) === null || answer[0] !== SSL_ACCEPTED) {
      connection.close();
      return null;
    }
    const caCerts = target.sslRootCert === null || target.sslRootCert === "system"
      ? []
      : [await Deno.readTextFile(target.sslRootCert)];
    const encrypted = await Deno.startTls(connection, { hostname: target.host, caCerts });
    open = encrypted;
    await encrypted.handshake();
    return encrypted;
  } catch (error) {
    open.close();
    throw error;
  }
}

function untrusted(error: unknown): unknown {
  if (!(error instanceof Deno.errors.InvalidData) && !/certificate/i.test(String(error))) return error;
  return new BackupError(
    "database_unreachable",
    `The server's certificate is not trusted: ${error instanceof Error ? error.message : error}`,
    "Name the certificate authority with sslrootcert=FILE (certificates are always verified here, also with sslmode=require).",
    error,
  );
}
