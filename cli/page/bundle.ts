/** The page's script and style: bundled when the package is built, in a checkout when the page starts. */
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";

export interface Bundle {
  script: string;
  style: string;
}

/** Bundles what runs in the browser, and ends esbuild. Throws with esbuild's words. */
export async function bundlePage(): Promise<Bundle> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(import.meta.resolve("./browser/main.tsx"))],
    bundle: true,
    minify: true,
    write: false,
    outdir: "/",
    format: "esm",
    target: "es2022",
    charset: "utf8",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "silent",
  }).finally(() => stop());
  const ending = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))!.text;
  return { script: ending(".js"), style: ending(".css") };
}
