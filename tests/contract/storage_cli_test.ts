/**
 * The commands `supabase storage ls`, `cp` and `rm` of the real CLI, which finds a local project by its config.toml: a
 * gateway's port, and the secret that signs its key.
 */
import assert from "node:assert/strict";
import { StorageProject } from "./storage/project.ts";

const CLI = decodeURIComponent(new URL("../../node_modules/.bin/supabase", import.meta.url).pathname);

interface Local {
  /** Folder with the project's files; commands run in it. */
  dir: string;
  stop(): Promise<void>;
}

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** A folder whose config.toml leads the CLI to the project's Storage API, through the path that a gateway gives it. */
async function asLocal(project: StorageProject): Promise<Local> {
  const gateway = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers, body } = request;
    return fetch(project.url + pathname.replace("/storage/v1", "") + search, { method, headers, body });
  });
  const dir = await Deno.makeTempDir({ prefix: "cli-" });
  await Deno.mkdir(`${dir}/supabase`);
  const config = [
    'project_id = "contract"',
    "[api]",
    `port = ${gateway.addr.port}`,
    "[auth]",
    `jwt_secret = "${project.jwtSecret}"`,
  ];
  await Deno.writeTextFile(`${dir}/supabase/config.toml`, config.join("\n"));
  return {
    dir,
    stop: async () => {
      await gateway.shutdown();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function storage({ dir }: Local, ...args: string[]): Promise<Result> {
  const { code, stdout, stderr } = await new Deno.Command(CLI, {
    args: ["storage", ...args, "--experimental", "--yes"],
    cwd: dir,
    env: { HOME: dir, DO_NOT_TRACK: "1", NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Lines on standard output of a command that has to succeed. */
async function lines(local: Local, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await storage(local, ...args);
  assert.equal(code, 0, stderr);
  return stdout.split("\n").filter((line) => line !== "").sort();
}

Deno.test({
  name: "the CLI's storage commands work on the Storage API",
  ignore: Deno.env.has("CONTRACT_STORAGE_URL") && !Deno.env.has("CONTRACT_JWT_SECRET"),
  fn: async (t) => {
    const project = await StorageProject.open();
    const local = await asLocal(project);
    const kept = { sanitizeOps: false, sanitizeResources: false };
    try {
      const bucket = await project.bucket();
      const at = (path: string) => `ss:///${bucket}/${path}`;
      const bytes = crypto.getRandomValues(new Uint8Array(60_000));
      await Deno.writeFile(`${local.dir}/a.bin`, bytes);
      await Deno.mkdir(`${local.dir}/folder/sub`, { recursive: true });
      await Deno.writeTextFile(`${local.dir}/folder/1.txt`, "one");
      await Deno.writeTextFile(`${local.dir}/folder/sub/2.txt`, "two");

      await t.step({
        name: "ls lists the buckets",
        fn: async () => assert.ok((await lines(local, "ls")).includes(`${bucket}/`)),
        ...kept,
      });

      await t.step({
        name: "cp uploads a file once, and says why not twice",
        fn: async () => {
          await lines(local, "cp", "a.bin", at("a.bin"));
          const again = await storage(local, "cp", "a.bin", at("a.bin"));
          assert.equal(again.code, 1);
          assert.match(again.stderr, /"code":"KeyAlreadyExists"/);
        },
        ...kept,
      });

      await t.step({
        name: "cp downloads what it uploaded",
        fn: async () => {
          await lines(local, "cp", at("a.bin"), "back.bin");
          assert.deepEqual(await Deno.readFile(`${local.dir}/back.bin`), bytes);
        },
        ...kept,
      });

      await t.step({
        name: "cp -r takes a folder there and back, ls -r shows all of it",
        fn: async () => {
          await lines(local, "cp", "-r", "folder", at(""));
          assert.deepEqual(await lines(local, "ls", "-r", at("")), [
            `/${bucket}/a.bin`,
            `/${bucket}/folder/1.txt`,
            `/${bucket}/folder/sub/2.txt`,
          ]);
          await lines(local, "cp", "-r", at("folder"), "out");
          assert.equal(await Deno.readTextFile(`${local.dir}/out/sub/2.txt`), "two");
        },
        ...kept,
      });

      await t.step({
        name: "rm removes one object, rm -r a folder",
        fn: async () => {
          const left = async () => (await project.client().from(bucket).list()).data!.map(({ name }) => name);
          await lines(local, "rm", at("a.bin"));
          assert.deepEqual(await left(), ["folder"]);
          await lines(local, "rm", "-r", at("folder"));
          assert.deepEqual(await left(), []);
        },
        ...kept,
      });
    } finally {
      await local.stop();
      await project.close();
    }
  },
});
