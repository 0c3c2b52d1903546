/** Reads the tracked and new source files of a folder, so that guards judge what would be committed. */
export interface SourceFile {
  path: string;
  source: string;
}

/** Files below `folder` (relative to the repository's root) whose names end with `ending`. */
export async function sourceFiles(folder: string, ending = ".ts"): Promise<SourceFile[]> {
  const listing = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", folder],
    cwd: new URL("../../", import.meta.url),
  }).output();
  if (!listing.success) throw new Error(new TextDecoder().decode(listing.stderr));
  const paths = new TextDecoder().decode(listing.stdout).split("\0")
    .filter((path) => path !== "" && path.endsWith(ending));
  return await Promise.all(paths.map(async (path) => ({
    path,
    source: await Deno.readTextFile(new URL(`../../${path}`, import.meta.url)),
  })));
}
