/** `npm run screenshot`: the page's picture in the README, and with a folder's name all views to look at. */
import { fakeProject, HOSTILE } from "./fake_project.ts";
import { openPage } from "./browser.ts";

const folder = Deno.args[0];
const project = await fakeProject();
const [newest, before] = project.backups.toReversed() as [string, string];

if (folder === undefined) {
  await using open = await openPage(await fakeProject({ odd: "seats" }), { width: 1120, height: 880 });
  await open.page.locator(".chart canvas").waitFor();
  const path = decodeURIComponent(new URL("../../docs/page.png", import.meta.url).pathname);
  await open.page.screenshot({ path });
  console.log(path);
} else {
  for (
    const [name, size] of [["wide", {}], ["dark", { scheme: "dark" as const }], ["narrow", {
      width: 380,
    }]] as const
  ) {
    await using open = await openPage({
      ...project,
      targetUrl: "postgresql://x@127.0.0.1:1/x",
      allowActions: true,
    }, size);
    const shot = (view: string) =>
      open.page.screenshot({ path: `${folder}/${name}-${view}.png`, fullPage: true });
    await open.page.locator(".chart canvas").waitFor();
    await shot("timeline");
    await open.visit(`runs/${project.runs[0]!.id}`);
    await open.page.getByText("Tables").first().waitFor();
    await shot("run");
    await open.visit("backups");
    await shot("backups");
    await open.visit(`backups/${newest}`);
    await open.page.locator(".tree a").filter({ hasText: "reservations" }).first().click();
    await open.page.locator("table.rows tbody tr").first().waitFor();
    await open.page.locator("pre.code").first().waitFor();
    await shot("backup");
    await open.visit(`find/public.reservations/17`);
    await open.page.locator(".history li").nth(4).waitFor();
    await shot("find");
    await open.visit(`compare/${before}/${newest}`);
    await open.page.locator(".change").first().waitFor();
    for (const one of await open.page.locator(".change > summary").all()) await one.click();
    await shot("compare");
    await open.visit(`restore/${newest}/${encodeURIComponent(`public.${HOSTILE}`)}`);
    await open.page.locator(".boxes label").first().waitFor();
    await shot("restore");
    if (open.complaints.length > 0) console.log(name, open.complaints);
  }
}
