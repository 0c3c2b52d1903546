/** Routes that change where objects are: remove, move, copy. */
import { errors } from "./errors.ts";
import { checkBucketName, checkObjectName } from "./names.ts";
import { bucketOf, nameOf, type Routes, sessionOf } from "./service.ts";
import { list, object, readBody, text } from "./shapes.ts";
import { findObject, lockObject, metadataOf, type ObjectRow, ownerAsUuid, shown } from "./tables.ts";
import { commit, fileMetadata, tryToWrite } from "./write.ts";

interface Relocation {
  bucketId: string;
  sourceKey: string;
  destinationBucket?: string;
  destinationKey: string;
}

const names = object({ prefixes: list(text, 1) }, ["prefixes"]);
const relocation = object(
  { bucketId: text, sourceKey: text, destinationBucket: text, destinationKey: text },
  ["bucketId", "sourceKey", "destinationKey"],
);

export const objectRoutes: Routes = (app, service) => {
  const { files, tokens } = service;

  app.delete("/object/:bucket/:name{.+}", async (c) => {
    const caller = await tokens.caller(c.req.header("authorization"));
    const [bucket, name] = [bucketOf(c), nameOf(c)];
    const session = sessionOf(c, service);
    await session.asService((sql) => findObject(sql, bucket, name));
    const [removed] = await session.as(caller, (sql) =>
      sql<ObjectRow[]>`
        delete from storage.objects where bucket_id = ${bucket} and name = ${name} returning *`);
    if (!removed) throw errors.accessDenied("Access denied");
    await files.remove({ bucket, name, version: removed.version });
    return c.json({ message: "Successfully deleted" });
  });

  app.delete("/object/:bucket", async (c) => {
    const { prefixes } = await readBody<{ prefixes: string[] }>(c, names);
    const caller = await tokens.caller(c.req.header("authorization"));
    const bucket = bucketOf(c);
    const removed = await sessionOf(c, service).as(caller, (sql) =>
      sql<ObjectRow[]>`
        delete from storage.objects where bucket_id = ${bucket} and name = any (${prefixes}) returning *`);
    for (const { name, version } of removed) await files.remove({ bucket, name, version });
    return c.json(removed.map(shown));
  });

  app.post("/object/move", async (c) => {
    const body = await readBody<Relocation>(c, relocation);
    const caller = await tokens.caller(c.req.header("authorization"));
    const { bucketId: bucket, sourceKey: name, destinationKey } = body;
    const to = {
      bucket: body.destinationBucket ?? bucket,
      name: destinationKey,
      version: crypto.randomUUID(),
    };
    checkBucketName(bucket);
    checkObjectName(to.name);
    const session = sessionOf(c, service);
    const place = {
      bucket_id: to.bucket,
      name: to.name,
      version: to.version,
      owner: ownerAsUuid(caller.owner),
      owner_id: caller.owner ?? null,
    };
    await session.trial(caller, async (sql) => {
      await findObject(sql, bucket, name);
      const { count } = await sql`
        update storage.objects set ${sql(place)} where bucket_id = ${bucket} and name = ${name}`;
      if (count === 0) throw errors.noSuchKey();
    });
    if (bucket === to.bucket && name === to.name) return c.json({ message: "Successfully moved" });

    const source = await session.asService((sql) => findObject(sql, bucket, name));
    const { version } = source;
    const metadata = metadataOf(source);
    const facts = await files.copy({ bucket, name, version }, to);
    const moved = fileMetadata(facts, metadata.mimetype, metadata.cacheControl);
    try {
      await session.asService(async (sql) => {
        await lockObject(sql, to.bucket, to.name);
        const { count } = await sql`
          update storage.objects set ${sql({ ...place, metadata: moved as never })}
          where bucket_id = ${bucket} and name = ${name} and version = ${version}`;
        if (count === 0) throw errors.noSuchKey();
      });
    } catch (error) {
      await files.remove(to);
      throw error;
    }
    await files.remove({ bucket, name, version });
    return c.json({ message: "Successfully moved" });
  });

  app.post("/object/copy", async (c) => {
    const body = await readBody<Relocation>(c, relocation);
    const caller = await tokens.caller(c.req.header("authorization"));
    const { bucketId: bucket, sourceKey, destinationKey: name } = body;
    const to = { bucket: body.destinationBucket ?? bucket, name, version: crypto.randomUUID() };
    checkBucketName(bucket);
    checkObjectName(to.name);
    const session = sessionOf(c, service);
    const source = await session.as(caller, (sql) => findObject(sql, bucket, sourceKey));
    const metadata = metadataOf(source);
    const { user_metadata: userMetadata } = source;
    const { owner } = caller;
    const upsert = c.req.header("x-upsert") === "true";
    await tryToWrite(session, caller, { ...to, owner, upsert }, metadata, userMetadata);
    const facts = await files.copy({ bucket, name: sourceKey, version: source.version }, to);
    const copied = fileMetadata(facts, metadata.mimetype, metadata.cacheControl);
    const row = await commit(session, service, { ...to, owner, metadata: copied, userMetadata });
    return c.json({ Id: row.id, Key: `${to.bucket}/${to.name}`, ...shown(row) });
  });
};
