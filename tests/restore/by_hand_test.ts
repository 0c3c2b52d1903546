/**
 * A backup without any tool of ours: the list that lies beside it, psql and the stock pg_restore, as RESTORE.md says.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startStack } from "../../stack/stack.ts";
import { contentOf, joinParts } from "../e2e/restore.ts";
import { backedUpProject, enableWebhooks } from "./scene.ts";

Deno.test("a backup in a new Supabase project, by hand", async (test) => {
  const folder = await Deno.makeTempDir();
  const { project, name } = await backedUpProject();
  const second = await startStack({ migrate: false });
  const [sql, superuser] = [second.databaseUrl, second.superuserUrl].map((url) =>
    postgres(url, { max: 1, onnotice: () => {} })
  );
  await enableWebhooks(superuser!);
  const { binDir } = second.database.cluster;
  const bucket = project.client.storage.from("backups");
  const download = async (file: string) => await (await bucket.download(`${name}/${file}`)).data!.text();
  try {
    await test.step("has a list that leaves out the platform's own, and says why it leaves out what is the user's", async () => {
      const list = await download("restore.list");
      await Deno.writeTextFile(`${folder}/restore.list`, list);
      await Deno.writeTextFile(`${folder}/roles.sql`, await download("roles.sql"));
      await joinParts(project.client, name, `${folder}/archive`);
      const lines = list.split("\n").filter((line) => line !== "" && !line.startsWith(";"));
      for (
        const wanted of [
          / TABLE DATA auth users /,
          / TABLE public diary /,
          / TRIGGER auth users on_auth_user_created /,
          / POLICY storage objects members read photos /,
          / SCHEMA - books /,
        ]
      ) assert.ok(lines.some((line) => wanted.test(line)), String(wanted));
      for (
        const platform of [
          / SCHEMA - auth /,
          / TABLE auth users /,
          / EVENT TRIGGER /,
          / vault /,
          / cron /,
          / tell_them/,
        ]
      ) {
        assert.deepEqual(lines.filter((line) => platform.test(line)), []);
      }
      assert.match(
        list,
        /^; \d+; .* TRIGGER public diary tell_them postgres +-- a webhook: it would call its URL at once$/m,
      );
      assert.match(list, /^; \d+; .* TABLE DATA storage objects .*-- only with its files$/m);
    });

    await test.step("restores as RESTORE.md says, with pg_restore alone", async () => {
      const notes = await download("RESTORE.md");
      assert.match(notes, new RegExp(`^# ${name}`));
      // The commands of the chapter on a new project, as they stand there.
      const [, chapter = ""] = notes.split("## 2c. ");
      const [, script = ""] = /```sh\n([\s\S]*?)```/.exec(chapter) ?? [];
      assert.match(script, /--single-transaction -L restore\.list/);
      await Deno.rename(`${folder}/archive`, `${folder}/${name}.dump`);
      const url = new URL(second.databaseUrl);
      const { success, stderr, stdout } = await new Deno.Command("sh", {
        args: ["-euc", script],
        cwd: folder,
        env: {
          PATH: `${binDir}:${Deno.env.get("PATH")}`,
          PGHOST: url.hostname,
          PGPORT: url.port,
          PGUSER: url.username,
          PGPASSWORD: url.password,
        },
      }).output();
      assert.ok(success, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
      const leftOut = /^(backup\.|net\.|cron\.|storage\.objects|vault\.|supabase_functions\.)/;
      assert.deepEqual(
        await contentOf(second.superuserUrl, leftOut),
        await contentOf(project.stack.superuserUrl, leftOut),
      );
      const [grants] = await sql!`
        select has_table_privilege('anon', 'public.diary', 'select') as diary,
          has_table_privilege('anon', 'public.members', 'select') as members`;
      assert.deepEqual({ ...grants }, { diary: false, members: true });
    });
  } finally {
    await Promise.allSettled([sql!.end({ timeout: 1 }), superuser!.end({ timeout: 1 })]);
    await second.stop();
    await project[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});
