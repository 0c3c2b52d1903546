/** Debian's Chromium, driven by playwright-core: without a network of its own, and with a profile of its own. */
import { type Browser, chromium, type Page } from "playwright-core";
import { bundlePage } from "../../cli/page/bundle.ts";
import { pageApi, type PageOptions } from "../../cli/page/api.ts";
import { servePage } from "../../cli/page/server.ts";

const PATH = "/usr/bin/chromium";
const LOCK = "/run/lock/chromium-for-tests";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Returns whether there is a Chromium, and installs it where it is missing and this is root on a Debian. Throws in
 * `test:all` where there is none; `npm test` goes on without it.
 */
export async function hasChromium(): Promise<boolean> {
  const isThere = () => Deno.stat(PATH).then(() => true, () => false);
  if (await isThere()) return true;
  if (Deno.uid() === 0) {
    // Others may install at this moment as well: apt refuses to do so twice at a time.
    const install = "apt-get update && apt-get install --yes --no-install-recommends chromium";
    const args = [LOCK, "sh", "-c", install];
    for (let tries = 0; tries < 3; tries++) {
      await new Deno.Command("flock", { args, stdout: "null", stderr: "null" }).output().catch(() => null);
      if (await isThere()) return true;
    }
  }
  const message =
    "Chromium is not installed: the page is not tested. Install it with apt-get install chromium.";
  if (Deno.env.get("ALL_TESTS")) throw new Error(message);
  console.warn(message);
  return false;
}

export interface OpenPage extends AsyncDisposable {
  page: Page;
  url: string;
  /** Addresses of requests that were not for the page's own server. */
  foreign: string[];
  /** Errors of scripts, refusals of the security policy, dialogs. */
  complaints: string[];
  /** Opens a view and waits for its heading. */
  visit(path: string): Promise<void>;
}

/** Serves the page for a project and opens it. */
export async function openPage(
  options: Pick<PageOptions, "origin" | "facts"> & Partial<PageOptions>,
  { width = 1240, height = 900, scheme = "light" as "light" | "dark" } = {},
): Promise<OpenPage> {
  const api = pageApi({ databaseUrl: null, targetUrl: null, allowActions: false, ...options });
  const server = servePage(await bundlePage(), api);
  const browser: Browser = await chromium.launch({ executablePath: PATH, args: FLAGS });
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  // A machine that runs all tests at once is slow.
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  const foreign: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => request.url().startsWith(server.url) || foreign.push(request.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("dialog", (dialog) => (complaints.push(`dialog ${dialog.message()}`), dialog.dismiss()));
  // A browser that has just started on a busy machine sometimes gives up its first page.
  await page.goto(server.url).catch(() => page.goto(server.url));
  await page.locator("h1").waitFor();
  return {
    page,
    foreign,
    complaints,
    url: server.url,
    async visit(path) {
      await page.goto(`${server.url}#/${path}`);
      await page.locator("h1").waitFor();
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.stop();
    },
  };
}
