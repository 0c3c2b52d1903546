import assert from "node:assert/strict";
import { type Facts, needing, type StorageProject } from "./project.ts";
import { assertRefused } from "./refusals.ts";

const FILES = ["a.txt", "a/1", "a/2", "B/x", "b", "c/d/e"];

async function filled(project: StorageProject, names = FILES): Promise<string> {
  const bucket = await project.bucket();
  for (const name of names) {
    const { error } = await project.client().from(bucket).upload(name, name, { contentType: "text/plain" });
    if (error) throw error;
  }
  return bucket;
}

/** Rows as SQL, for facts about numbers that would take minutes to upload. */
async function filledBySql(project: StorageProject, count: number): Promise<string> {
  const bucket = await project.bucket();
  await project.sql`
    insert into storage.objects (bucket_id, name, version, metadata)
    select ${bucket}, format('n%s', to_char(n, 'FM0000')), gen_random_uuid()::text, '{}'
    from generate_series(1, ${count}::int) as n`;
  return bucket;
}

const namesOf = (rows: { name: string }[] | null | undefined) => rows!.map(({ name }) => name);

export const listing: Facts = {
  "list shows one level: objects with what is known of them, folders with nothing but a name": async (
    project,
  ) => {
    const bucket = await filled(project);
    const { data } = await project.client().from(bucket).list();
    assert.deepEqual(namesOf(data), ["a.txt", "a", "b", "B", "c"]);
    assert.deepEqual(data![1], {
      name: "a",
      id: null,
      updated_at: null,
      created_at: null,
      last_accessed_at: null,
      metadata: null,
    } as never);
    const { id, created_at, metadata } = data![0]!;
    assert.ok(id && Date.parse(created_at!) > 0);
    const { lastModified, ...facts } = metadata!;
    assert.ok(Date.parse(lastModified) > 0);
    assert.deepEqual(facts, {
      eTag: '"a5e54d1fd7bb69a228ef0dcd2431367e"',
      size: 5,
      mimetype: "text/plain",
      cacheControl: "max-age=3600",
      contentLength: 5,
      httpStatusCode: 200,
    });
  },

  "names are relative to the prefix, which is a folder, in either case": async (project) => {
    const bucket = await filled(project);
    const files = project.client().from(bucket);
    assert.deepEqual(namesOf((await files.list("a")).data), ["1", "2"]);
    assert.deepEqual(namesOf((await files.list("A/")).data), ["1", "2"]);
    assert.deepEqual(namesOf((await files.list("c")).data), ["d"]);
  },

  "search finds the beginning of a name, in either case": async (project) => {
    const bucket = await filled(project, ["Report-1", "report-2", "old-report"]);
    const { data } = await project.client().from(bucket).list("", { search: "REPORT" });
    assert.deepEqual(namesOf(data), ["Report-1", "report-2"]);
  },

  "sorted by a time, folders come first": async (project) => {
    const bucket = await filled(project);
    const sortBy = { column: "created_at", order: "desc" };
    const { data } = await project.client().from(bucket).list("", { sortBy });
    assert.deepEqual(data!.map(({ id }) => id !== null), [false, false, false, true, true]);
    assert.deepEqual(namesOf(data).slice(3), ["b", "a.txt"]);
  },

  "limit and offset count folders too; an offset past the end answers nothing": async (project) => {
    const bucket = await filled(project);
    const files = project.client().from(bucket);
    assert.deepEqual(namesOf((await files.list("", { limit: 2, offset: 1 })).data), ["a", "b"]);
    assert.deepEqual((await files.list("", { offset: 99 })).data, []);
  },

  "a limit of 0, an unknown column and a missing prefix are refused": async (project) => {
    const bucket = await project.bucket();
    for (
      const [body, message] of [
        [{ prefix: "", limit: 0 }, "body/limit must be >= 1"],
        [
          { prefix: "", sortBy: { column: "size" } },
          "body/sortBy/column must be equal to one of the allowed values",
        ],
        [{}, "body must have required property 'prefix'"],
      ] as const
    ) {
      assertRefused(
        await project.send("POST", `/object/list/${bucket}`, { body }),
        ["400", "Error", "InvalidRequest", message],
      );
    }
  },

  "a prefix or a bucket that is not there is an empty list, and so proves nothing": async (project) => {
    const bucket = await filled(project, ["a"]);
    assert.deepEqual((await project.client().from(bucket).list("none")).data, []);
    assert.deepEqual((await project.client().from("contract-none").list()).data, []);
  },

  "a folder is gone with its last object": async (project) => {
    const bucket = await filled(project, ["only/one"]);
    const files = project.client().from(bucket);
    assert.deepEqual(namesOf((await files.list()).data), ["only"]);
    await files.remove(["only/one"]);
    assert.deepEqual((await files.list()).data, []);
  },

  "the second version lists all levels by whole names, or one level with a delimiter": async (project) => {
    const bucket = await filled(project);
    const files = project.client().from(bucket);
    const all = (await files.listV2()).data!;
    assert.deepEqual([all.hasNext, all.folders, namesOf(all.objects)], [
      false,
      [],
      ["B/x", "a.txt", "a/1", "a/2", "b", "c/d/e"],
    ]);
    const level = (await files.listV2({ with_delimiter: true })).data!;
    assert.deepEqual(namesOf(level.folders), ["B/", "a/", "c/"]);
    assert.deepEqual(namesOf(level.objects), ["a.txt", "b"]);
    const below = (await files.listV2({ with_delimiter: true, prefix: "c/" })).data!;
    assert.deepEqual(namesOf(below.folders), ["c/d/"]);
  },

  "the second version pages with a cursor, by name and by time": async (project) => {
    const bucket = await filled(project);
    const files = project.client().from(bucket);
    const orders: [object, string[]][] = [
      [{}, ["B/x", "a.txt", "a/1", "a/2", "b", "c/d/e"]],
      [{ sortBy: { column: "created_at", order: "desc" } as const }, FILES.toReversed()],
      [{ with_delimiter: true }, ["B/", "a.txt", "a/", "b", "c/"]],
    ];
    for (const [options, names] of orders) {
      // A page has its folders and its objects apart.
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const { data } = await files.listV2({ ...options, limit: 2, ...(cursor && { cursor }) });
        found.push(
          ...namesOf([...data!.folders, ...data!.objects]).sort((a, b) =>
            names.indexOf(a) - names.indexOf(b)
          ),
        );
        cursor = data!.hasNext ? data!.nextCursor : undefined;
      } while (cursor !== undefined);
      assert.deepEqual(found, names);
    }
  },

  "list answers 100 rows unless told, and never more than 1500; the second version never more than 1000":
    needing("sql", async (project) => {
      const bucket = await filledBySql(project, 1600);
      const files = project.client().from(bucket);
      assert.equal((await files.list()).data!.length, 100);
      assert.equal((await files.list("", { limit: 1001 })).data!.length, 1001);
      assert.equal((await files.list("", { limit: 100_000 })).data!.length, 1500);
      assert.equal((await files.list("", { limit: 1000, offset: 1000 })).data!.length, 600);
      const page = (await files.listV2({ limit: 5000 })).data!;
      assert.deepEqual([page.hasNext, page.objects.length], [true, 1000]);
    }),
};
