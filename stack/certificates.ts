/** A throw-away authority and a certificate of it for this machine, as the platform has its own. */

export interface Certificates {
  /** PEM of the authority. */
  authority: string;
  /** PEM of the server's certificate and key. */
  certificate: string;
  key: string;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "30"];

let made: Promise<Certificates> | undefined;

/** Makes them once a process. Throws with openssl's message. */
export function certificates(): Promise<Certificates> {
  return made ??= make();
}

async function make(): Promise<Certificates> {
  const folder = await Deno.makeTempDir({ prefix: "certificates-" });
  const file = (name: string) => `${folder}/${name}`;
  try {
    await openssl(
      "req",
      "-x509",
      ...NEW_KEY,
      "-keyout",
      file("ca.key"),
      "-out",
      file("ca.pem"),
      "-subj",
      "/CN=throw-away authority of the stack",
      "-addext",
      "basicConstraints=critical,CA:TRUE",
    );
    await openssl(
      "req",
      "-x509",
      ...NEW_KEY,
      "-CA",
      file("ca.pem"),
      "-CAkey",
      file("ca.key"),
      "-keyout",
      file("server.key"),
      "-out",
      file("server.pem"),
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost,IP:127.0.0.1",
      "-addext",
      "basicConstraints=critical,CA:FALSE",
    );
    const [authority, certificate, key] = await Promise.all(
      ["ca.pem", "server.pem", "server.key"].map((name) => Deno.readTextFile(file(name))),
    );
    return { authority: authority!, certificate: certificate!, key: key! };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, stdin: "null" }).output();
  if (!success) throw new Error(`openssl failed: ${new TextDecoder().decode(stderr).trim()}`);
}
