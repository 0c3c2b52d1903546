/** The page on the theatre's project: a run while it works, its backup, the database now, a restore beside it. */
import assert from "node:assert/strict";
import { projectFacts } from "../../cli/page/facts.ts";
import { openBucket } from "../../cli/project/stored_backups.ts";
import { startProject } from "../e2e/project.ts";
import { hasChromium, openPage } from "./browser.ts";

const chromium = await hasChromium();

Deno.test({
  name: "[page] a run is seen while it works, its backup is looked into, compared, and restored beside",
  ignore: !chromium,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(test) {
    await using project = await startProject({ load: new URL("../../examples/theatre/", import.meta.url) });
    const { stack, sql } = project;
    const address = { url: stack.apiUrl, secretKey: stack.keys.secretKey };
    await using open = await openPage({
      origin: { kind: "project", project: address, bucket: openBucket(address) },
      facts: projectFacts(address, stack.databaseUrl),
      databaseUrl: stack.databaseUrl,
      targetUrl: stack.databaseUrl,
      allowActions: true,
    });
    const { page } = open;

    await test.step("a project without a backup says what to do", async () => {
      assert.match(
        await page.locator("main").innerText(),
        /Backups are failing[\s\S]*No verified backup exists/,
      );
      assert.match(await page.locator("main").innerText(), /There is no run yet/);
    });

    let name = "";
    await test.step("a run's progress is shown table by table, and its end without being asked for", async () => {
      const held = Promise.withResolvers<null>();
      // The rows are read, and wait to be stored.
      project.fault = (request) =>
        request.method === "POST" && /\/0000[1-9]\.dump$/.test(new URL(request.url).pathname)
          ? held.promise
          : null;
      const [{ id }] = await sql<[{ id: string }]>`select backup.start('manual') as id`;
      await open.visit(`runs/${id}`);
      await page.locator(".chip.running, .chip.queued").first().waitFor();
      await page.getByRole("cell", { name: "public.spectacles" }).waitFor();
      assert.ok(await page.getByRole("progressbar").count() > 5);
      held.resolve(null);
      project.fault = null;
      await page.locator(".chip.succeeded").first().waitFor();
      name = (await project.run(Number(id))).name;
    });

    await test.step("the rows of a table are those of the database", async () => {
      await open.visit(`backups/${name}`);
      await page.getByRole("searchbox", { name: "Search objects" }).fill("lieux");
      await page.locator(".tree a").filter({ hasText: /^table lieux/ }).click();
      await page.getByText("rows 1 to 5 of 5").waitFor();
      const shown = await page.locator("table.rows tbody tr").allInnerTexts();
      assert.match(shown[2]!, /^3\tChapelle Saint-Éloi\t.*\t140\tnull\t.*trois marches/);
      await page.getByText("Salles et lieux où la compagnie joue.").waitFor();
    });

    await test.step("what was changed since is the difference to now", async () => {
      await sql`update public.lieux set capacite = 95 where nom = 'Studio'`;
      await sql`insert into public.lieux (nom, capacite) values ('Nouvelle salle', 50)`;
      await sql`alter table public.lieux add column note text`;
      await open.visit(`compare/${name}/now`);
      const change = page.locator(".change").filter({ hasText: "public.lieux 1 added, 1 changed" });
      await change.waitFor();
      await change.locator("summary").click();
      assert.match(await change.innerText(), /changed\s+2\s+Studio[\s\S]*90 95/);
      await page.locator(".change").filter({ hasText: "table public.lieux" }).locator("summary").click();
      await page.locator("td.new").filter({ hasText: "note text" }).waitFor();
    });

    await test.step("the plan is shown, and the table is restored beside the living one", async () => {
      await open.visit(`restore/${name}/public.lieux`);
      await page.getByRole("button", { name: "Show the plan" }).click();
      await page.getByText("entries would be restored").waitFor();
      await page.getByRole("button", { name: "Restore beside" }).click();
      await page.getByText('"restored"."lieux"', { exact: true }).waitFor();
      const rows = await sql`select capacite from restored.lieux order by id`;
      assert.deepEqual(rows.map(({ capacite }) => capacite), [420, 90, 140, 600, 300]);
      const [living] = await sql`select count(*)::int as rows from public.lieux`;
      assert.equal(living!["rows"], 6);
    });
    assert.deepEqual([open.foreign, open.complaints], [[], []]);
  },
});
