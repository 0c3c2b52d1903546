/** The page in a real browser, on a year of runs and backups whose names are hostile. */
import assert from "node:assert/strict";
import axe from "axe-core";
import { visible } from "../../supabase/functions/backup/visible_text.ts";
import { hasChromium, type OpenPage, openPage } from "./browser.ts";
import { fakeProject, HOSTILE } from "./fake_project.ts";

const chromium = await hasChromium();
const SHOWN = visible(HOSTILE);

/** The browser's pipes are its driver's, and end with it. */
function inBrowser(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `[page] ${name}`, ignore: !chromium, sanitizeOps: false, sanitizeResources: false, fn });
}

/** Views, what is waited for in each, and how often the hostile name is to be read there at least. */
async function views(): Promise<{ project: Awaited<ReturnType<typeof fakeProject>>; list: View[] }> {
  const project = await fakeProject();
  const [newest, before] = project.backups.toReversed() as [string, string];
  const failed = project.runs.find(({ status }) => status === "failed")!;
  const list: View[] = [
    { path: "", ready: ".chart canvas", hostile: 2 },
    { path: `runs/${project.runs[0]!.id}`, ready: ".warnings li", hostile: 3 },
    { path: `runs/${failed.id}`, ready: ".problem", hostile: 1 },
    { path: "backups", ready: "tbody tr", hostile: 0 },
    { path: `backups/${newest}`, ready: ".tree a", hostile: 3 },
    {
      path: `find/${encodeURIComponent(`public.${HOSTILE}`)}/${encodeURIComponent(HOSTILE)}`,
      ready: ".history li:nth-child(5)",
      hostile: 2,
    },
    { path: `compare/${before}/${newest}`, ready: ".change", hostile: 0 },
    { path: `restore/${newest}`, ready: ".boxes label", hostile: 2 },
  ];
  return { project, list };
}

interface View {
  path: string;
  ready: string;
  hostile: number;
}

async function show({ page, visit }: OpenPage, { path, ready }: View): Promise<void> {
  await visit(path);
  await page.locator(ready).first().waitFor();
}

inBrowser(
  "every view shows hostile names as text, asks nobody else, and breaks no rule of its policy",
  async () => {
    const { project, list } = await views();
    await using open = await openPage(project);
    for (const view of list) {
      await show(open, view);
      const text = await open.page.locator("body").innerText();
      assert.ok(
        text.split(SHOWN).length > view.hostile,
        `${view.path} shows it ${text.split(SHOWN).length - 1} times`,
      );
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(text, /[\u202e\x1b]/, view.path);
      assert.equal(await open.page.locator("img[src=x], script:not([src]), [onerror]").count(), 0);
    }
    assert.deepEqual([open.foreign, open.complaints], [[], []]);
  },
);

inBrowser("axe finds nothing serious, in light and dark; nothing is wider than a phone", async () => {
  const { project, list } = await views();
  const options = {
    targetUrl: "postgresql://x@127.0.0.1:1/x",
    databaseUrl: "postgresql://x@127.0.0.1:1/x",
  };
  for (const look of [{ scheme: "light" as const }, { scheme: "dark" as const, width: 380 }]) {
    await using open = await openPage({ ...project, ...options, allowActions: true }, look);
    await open.page.evaluate(axe.source);
    for (const view of list) {
      await show(open, view);
      for (const summary of await open.page.locator(".change > summary").all()) await summary.click();
      const found = await open.page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
        return (await axe.run()).violations;
      }) as Violation[];
      const serious = found.filter(({ impact }) => impact === "serious" || impact === "critical");
      const named = serious.map(({ id, nodes }) => `${view.path} ${look.scheme} ${id}: ${nodes[0]!.html}`);
      assert.deepEqual(named, []);
      const width = await open.page.evaluate("document.documentElement.scrollWidth");
      assert.ok(Number(width) <= (look.width ?? 1240), `${view.path} is ${width} wide`);
    }
  }
});

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

inBrowser("the timeline: a year of days, a figure that can be chosen, runs, drills, what to do", async () => {
  const project = await fakeProject();
  await using open = await openPage(project);
  const { page } = open;
  assert.match(
    await page.locator(".health").innerText(),
    /The backups need attention[\s\S]*To opt out: select backup/,
  );
  assert.equal(await page.locator(".calendar a.day").count(), 40);
  assert.equal(await page.locator(".calendar a.day.failed").count(), 2);
  const label = await page.locator(".calendar a.day").last().getAttribute("aria-label");
  assert.match(label!, /^\d{4}-\d\d-\d\d: run 40, succeeded$/);
  await page.getByRole("button", { name: "Rows", exact: true }).click();
  await page.getByRole("img", { name: "Rows of 38 runs" }).waitFor();
  await page.getByRole("button", { name: "CPU", exact: true }).click();
  await page.getByRole("img", { name: "CPU of 36 runs" }).waitFor();
  const rows = page.getByRole("region", { name: "Runs", exact: true }).locator("tbody tr");
  assert.equal(await rows.count(), 20);
  await page.getByRole("button", { name: "Show all 40 runs" }).click();
  await rows.nth(39).waitFor();
  assert.match(
    await page.locator(".cards").innerText(),
    /Next run\nin [0-9]+ (day|hour)s?[\s\S]* 03:00:00 UTC/,
  );
  assert.match(await page.locator(".cards").innerText(), /240 MB of 500 MB used, full in 2 years/);
  await page.locator(".calendar a.failed").last().click();
  await page.getByRole("heading", { name: /^Run \d+$/ }).waitFor();
  assert.match(await page.locator(".problem").innerText(), /Cannot store [\s\S]*Check Storage's log/);
});

inBrowser("inside a backup: search, definition, rows page by page", async () => {
  const project = await fakeProject();
  const newest = project.backups.at(-1)!;
  await using open = await openPage(project);
  const { page } = open;
  await open.visit(`backups/${newest}`);
  await page.getByRole("searchbox", { name: "Search objects" }).fill("price");
  await page.getByText("1 of 16 objects").waitFor();
  await page.locator(".tree a").click();
  await page.getByText("select seats * 14").waitFor();
  await page.getByRole("searchbox", { name: "Search objects" }).fill("reservations");
  await page.locator(".tree a").filter({ hasText: /^table reservations/ }).click();
  const first = page.locator("table.rows tbody tr").first();
  await page.getByText("rows 1 to 50 of 133").waitFor();
  assert.equal(await first.innerText(), "1\tGuest 1\t1\tnull");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText("rows 51 to 100 of 133").waitFor();
  assert.match(await first.innerText(), /^51\tGuest 51/);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText("rows 101 to 133 of 133").waitFor();
  assert.ok(await page.getByRole("button", { name: "Next" }).isDisabled());
  await page.getByRole("button", { name: "Previous" }).click();
  await page.getByText("rows 51 to 100 of 133").waitFor();
});

inBrowser("one row in all backups, and the difference of two", async () => {
  const project = await fakeProject();
  const [newest, before] = project.backups.toReversed() as [string, string];
  await using open = await openPage(project);
  const { page } = open;
  await open.visit("find");
  await page.getByLabel("Table").fill("public.reservations");
  await page.getByLabel("Primary key").fill("17");
  await page.getByRole("button", { name: "Find" }).click();
  await page.locator(".history li").nth(4).waitFor();
  const versions = await page.locator(".history li").allInnerTexts();
  assert.match(versions[0]!, /Guest 17 *Ada King/);
  assert.match(versions[1]!, /present\s+the same as before/);
  assert.match(versions[4]!, /guest\s+Guest 17/);
  await open.visit(`compare/${before}/${newest}`);
  await page.getByText("1 definition and 1 table differ. 5 tables are the same.").waitFor();
  const [rows, definition] = await page.locator(".change").all();
  assert.match(await rows!.innerText(), /public\.reservations 1 added, 1 removed, 1 changed/);
  await rows!.locator("summary").click();
  assert.deepEqual(
    (await rows!.locator("tbody tr").allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " ")),
    [
      "added 134 Guest 134 4 null",
      "removed 100 Guest 100 5 2026-04-11 19:30:00+00",
      "changed 17 Guest 17 Ada King 2 2026-01-11 19:30:00+00",
    ],
  );
  await definition!.locator("summary").click();
  assert.deepEqual(await definition!.locator("td.old, td.new").allInnerTexts(), [
    "    AS 'select seats * 12';",
    "    AS 'select seats * 14';",
  ]);
});

inBrowser("the restore's command is one shell command, whatever the names are", async () => {
  const project = await fakeProject();
  await using open = await openPage(project);
  const { page } = open;
  await open.visit(`restore/${project.backups.at(-1)}`);
  await page.getByRole("checkbox").nth(3).check();
  await page.getByLabel("New schema").fill("it's new");
  await page.locator(".command pre").filter({ hasText: "--into-schema" }).waitFor();
  const command = await page.locator(".command pre").innerText();
  const { stdout } = await new Deno.Command("bash", {
    args: ["-c", `supabase-backup() { printf '%s\\0' "$@"; }\n${command}`],
  }).output();
  assert.deepEqual(new TextDecoder().decode(stdout).split("\0").slice(0, -1), [
    "restore",
    "--backup",
    project.backups.at(-1),
    "--table",
    `public.${HOSTILE}`,
    "--into-schema",
    "it's new",
    "--target-db-url",
    "postgresql://postgres@HOST:5432/postgres",
  ]);
  assert.equal(
    await page.getByRole("button", { name: "Restore beside" }).count(),
    0,
    "the page may only look",
  );
});

inBrowser("the keyboard alone reaches the content, the views and the rows", async () => {
  await using open = await openPage(await fakeProject());
  const { page } = open;
  const focused = () => page.evaluate("document.activeElement.textContent") as Promise<string>;
  const heading = (name: string) => page.locator("h1:focus", { hasText: name }).waitFor();
  await heading("Timeline");
  for (const name of ["Restore", "Compare", "Find", "Backups", "Timeline", "Skip to the content"]) {
    await page.keyboard.press("Shift+Tab");
    assert.equal(await focused(), name);
  }
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate("document.activeElement.id"), "main");
  for (let link = 0; link < 4; link++) await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await heading("Backups");
});

inBrowser("five thousand tables and five hundred runs: only what is looked at is drawn", async () => {
  const project = await fakeProject({ moreTables: 5000, runs: 500 });
  await using open = await openPage(project);
  const { page } = open;
  await page.locator(".chart canvas").waitFor();
  // By the browser's own work: a busy machine takes longer.
  const inspector = await page.context().newCDPSession(page);
  await inspector.send("Performance.enable", { timeDomain: "threadTicks" });
  const work = async () => {
    const { metrics } = await inspector.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")!.value;
  };
  const before = await work();
  await page.reload();
  await page.locator(".chart canvas").waitFor();
  const seconds = await work() - before;
  const loaded = await page.evaluate(() =>
    [
      ...performance.getEntriesByType("navigation"),
      ...performance.getEntriesByType("resource"),
    ].map((entry) => (entry as unknown as { transferSize: number }).transferSize)
  ) as number[];
  const sum = loaded.reduce((all, bytes) => all + bytes, 0);
  assert.ok(seconds < 1, `${seconds} s of work`);
  assert.ok(sum < 200_000, `${loaded} bytes`);
  assert.ok(await page.locator("body *").count() < 3000);
  const beforeBackup = await work();
  await open.visit(`backups/${project.backups.at(-1)}`);
  await page.getByText("10,036 of 10,036 objects").waitFor();
  assert.ok(await work() - beforeBackup < 1);
  assert.ok(await page.locator("body *").count() < 3000);
  await page.getByRole("searchbox", { name: "Search objects" }).fill("table_4999");
  await page.locator(".tree a").filter({ hasText: /^table table_4999/ }).click();
  await page.getByText("rows 1 to 1 of 1").waitFor();
});
