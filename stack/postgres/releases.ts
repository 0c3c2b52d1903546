/**
 * PostgreSQL servers and clients of later versions than the machine's: Debian's packages of newer releases, unpacked
 * into a folder of their own beside the system. Their programs run with the C library they were built for, so nothing
 * of the system changes.
 */
import { exists, run } from "./programs.ts";

/** The Debian release that packages each major version. No release of today packages 16. */
const RELEASES: Record<number, string> = { 17: "trixie", 18: "sid" };

/** Major versions that `installServer` can bring onto this machine. */
export const INSTALLABLE_MAJORS: number[] = Object.keys(RELEASES).map(Number);

const MIRROR = "http://deb.debian.org/debian";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Large packages that the dependencies name and a server without JIT compilation and PL/Perl never loads. */
const UNUSED =
  /^(libllvm|libz3|perl|libperl|locales|openssl|dpkg|tar|debconf|ucf|sysvinit|init-system|netbase|adduser|passwd)/;

/**
 * Returns the folder of the programs (`postgres`, `pg_dump`, …) of a major version, with pg_cron and pgTAP, after
 * downloading about 55 MB at the first call. Later calls find them in the cache: /var/cache/supabase-backup for root,
 * ~/.cache otherwise. Throws with the reason where the version cannot be had: no Debian package for it, no apt, no
 * network.
 */
export async function installServer(major: number): Promise<string> {
  const release = RELEASES[major];
  if (release === undefined) {
    throw new Error(`Cannot install PostgreSQL ${major}: no Debian release packages it`);
  }
  const folder = `${cacheFolder()}/postgresql-${major}`;
  const binaries = `${folder}/usr/lib/postgresql/${major}/bin`;
  if (await exists(`${binaries}/postgres`)) return binaries;
  if (!await exists("/usr/bin/apt-get") || !await exists(KEYRING)) {
    throw new Error(`Cannot install PostgreSQL ${major}: this machine has no apt-get with Debian's keys`);
  }
  const work = `${folder}.${Deno.pid}`;
  try {
    await Deno.mkdir(`${work}/root`, { recursive: true });
    const { server, patchelf } = await download(release, major, `${work}/apt`);
    for (const file of server) await run("dpkg-deb", ["-x", file, `${work}/root`]);
    await run("dpkg-deb", ["-x", patchelf, `${work}/tools`]);
    await relocate(`${work}/root`, folder, major, `${work}/tools/usr/bin/patchelf`);
    // Servers run as another account, whatever this process's umask is.
    for (const path of [cacheFolder(), `${work}/root`]) await Deno.chmod(path, 0o755);
    // Another process may have been quicker; its copy is the same.
    await Deno.rename(`${work}/root`, folder).catch(async (error) => {
      if (!await exists(`${binaries}/postgres`)) throw error;
    });
    return binaries;
  } finally {
    await Deno.remove(work, { recursive: true }).catch(() => {});
  }
}

function cacheFolder(): string {
  if (Deno.uid() === 0) return "/var/cache/supabase-backup";
  return `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/supabase-backup`;
}

interface Packages {
  /** Files of the server's packages and of all they depend on. */
  server: string[];
  patchelf: string;
}

/** Downloads the packages of a server with all they depend on, as if nothing were installed. */
async function download(release: string, major: number, folder: string): Promise<Packages> {
  for (const inner of ["lists/partial", "archives/partial"]) {
    await Deno.mkdir(`${folder}/${inner}`, { recursive: true });
  }
  await Deno.writeTextFile(
    `${folder}/sources.list`,
    `deb [signed-by=${KEYRING}] ${MIRROR} ${release} main\n`,
  );
  await Deno.writeTextFile(`${folder}/status`, "");
  const apt = (...args: string[]) =>
    run("apt-get", [
      "-qq",
      ...Object.entries({
        "Dir::Etc::sourcelist": `${folder}/sources.list`,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State::lists": `${folder}/lists`,
        "Dir::State::status": `${folder}/status`,
        "Dir::Cache": folder,
        "Dir::Cache::archives": `${folder}/archives`,
        "APT::Sandbox::User": "",
      }).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
      ...args,
    ], folder);
  await apt("update");
  const wanted = [`postgresql-${major}`, `postgresql-${major}-cron`, `postgresql-${major}-pgtap`];
  const plan = await apt("--no-install-recommends", "--print-uris", "-y", "install", ...wanted);
  // A line: 'http://…/libc6_2.41-12_amd64.deb' libc6_2.41-12_amd64.deb 2847 SHA256:…
  const packages = [...plan.matchAll(/^'[^']+' ([^_ ]+)_\S+\.deb /gm)].map(([, name]) => name!)
    .filter((name) => !UNUSED.test(name));
  await apt("download", ...packages, "patchelf");
  const files = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name))
    .filter((name) => name.endsWith(".deb")).map((name) => `${folder}/${name}`);
  const isPatchelf = (file: string) => file.startsWith(`${folder}/patchelf_`);
  return { server: files.filter((file) => !isPatchelf(file)), patchelf: files.find(isPatchelf)! };
}

/** Makes the programs in `root`, which will lie in `folder`, load the libraries unpacked beside them. */
async function relocate(root: string, folder: string, major: number, patchelf: string): Promise<void> {
  // Without the compiler's library the server would fail where a query is long enough for JIT compilation. 18 has it in
  // a package apart.
  await Deno.remove(`${root}/usr/lib/postgresql/${major}/lib/llvmjit.so`).catch(() => {});
  const libraries = `usr/lib/${Deno.build.arch}-linux-gnu`;
  const loader = (await Array.fromAsync(Deno.readDir(`${root}/${libraries}`), ({ name }) => name))
    .find((name) => /^ld-linux-.*\.so\.\d$/.test(name));
  const programs = `${root}/usr/lib/postgresql/${major}/bin`;
  for (const { name } of Deno.readDirSync(programs)) {
    if (!await isElf(`${programs}/${name}`)) continue;
    // Of the same release, so it needs that release's C library as well.
    await run(`${root}/${libraries}/${loader}`, [
      "--library-path",
      `${root}/${libraries}`,
      patchelf,
      "--set-interpreter",
      `${folder}/${libraries}/${loader}`,
      // The older form of the path also holds for what the libraries load in turn.
      "--force-rpath",
      "--set-rpath",
      `${folder}/${libraries}`,
      `${programs}/${name}`,
    ]);
  }
}

async function isElf(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const head = new Uint8Array(4);
  await file.read(head);
  return head.join() === "127,69,76,70";
}

if (import.meta.main) {
  for (const major of INSTALLABLE_MAJORS) console.log(await installServer(major));
}
