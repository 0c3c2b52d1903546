/**
 * Folders that are made once and used again. For tests, which start hundreds of clusters: a copy takes a tenth of the
 * time.
 */
import { createHash } from "node:crypto";

/** Returns the folder below `folder` that the texts of `key` describe; `make` fills it the first time. */
export async function templateOf(
  folder: string,
  key: string[],
  make: (dir: string) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 16);
  const template = `${folder}/${hash}`;
  if (await exists(template)) return template;
  const making = await Deno.makeTempDir({ dir: folder, prefix: "making-" });
  try {
    await make(making);
    // Another process may have made it meanwhile: then there are two, and this one goes.
    await Deno.rename(making, template).catch(async (error) => {
      if (!await exists(template)) throw error;
    });
  } finally {
    await Deno.remove(making, { recursive: true }).catch(() => {});
  }
  return template;
}

/** Copies the template of that key into the empty folder `dir`. */
export async function copyTemplate(
  folder: string,
  key: string[],
  dir: string,
  make: (dir: string) => Promise<void>,
): Promise<void> {
  const template = await templateOf(folder, key, make);
  const { success, stderr } = await new Deno.Command("cp", {
    args: ["-a", "--reflink=auto", `${template}/.`, dir],
  }).output();
  if (!success) throw new Error(`Cannot copy ${template}: ${new TextDecoder().decode(stderr).trim()}`);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
