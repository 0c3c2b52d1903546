/** Serves the page on loopback to whoever knows its address, and to nobody else. */
import { Hono } from "hono";
import type { Bundle } from "./bundle.ts";

export interface PageServer {
  /** With the token: whoever has it sees every row of every backup. */
  url: string;
  stop(): Promise<void>;
}

const TOKEN_BYTES = 24;

/** No script, style or connection but our own, nothing inline, in no frame. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

const DOCUMENT = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Supabase Backup</title>
<link rel="icon" href="icon.svg">
<link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script>
</head>
<body><div id="page"></div><noscript>This page needs JavaScript.</noscript></body>
</html>
`;

const ICON =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#0f9d6c" d="M2 3c0-3 12-3 12 0v10c0 3-12 3-12 0z"/>
<path fill="none" stroke="#fff" stroke-width="1.4" d="M2.5 3.5c0 2.5 11 2.5 11 0M2.5 8c0 2.5 11 2.5 11 0"/></svg>
`;

/** Starts on a free port. Everything lies below a random token; `api` answers below `/api`. */
export function servePage({ script, style }: Bundle, api: Hono): PageServer {
  const token = randomToken();
  const app = new Hono();
  let hosts: string[] = [];
  app.use(async (context, next) => {
    // Another site whose name was made to lead here (DNS rebinding) sends its own name.
    if (!hosts.includes(context.req.header("host") ?? "")) return context.text("Unknown host", 421, HEADERS);
    // A request that another site's page makes.
    const site = context.req.header("sec-fetch-site");
    const isForeign = site !== undefined && site !== "same-origin" && site !== "none";
    if (isForeign && context.req.path !== `/${token}/`) {
      return context.text("Cross-site request", 403, HEADERS);
    }
    await next();
    for (const [name, value] of Object.entries(HEADERS)) context.res.headers.set(name, value);
  });
  const file = (path: string, body: string, type: string) =>
    app.get(
      `/${token}/${path}`,
      (context) => context.body(body, 200, { "content-type": `${type}; charset=utf-8` }),
    );
  file("", DOCUMENT, "text/html");
  file("page.js", script, "text/javascript");
  file("page.css", style, "text/css");
  file("icon.svg", ICON, "image/svg+xml");
  app.route(`/${token}/api`, api);
  app.notFound((context) => context.text("Not found", 404));
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, app.fetch);
  const { port } = server.addr as Deno.NetAddr;
  hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  return { url: `http://127.0.0.1:${port}/${token}/`, stop: () => server.shutdown() };
}

function randomToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
