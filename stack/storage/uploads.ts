/** Routes that take an object's bytes: raw or as a form, by the caller's right or by a signed URL. */
import type { Context } from "hono";
import { contentOf, declaredSize, optional } from "./content.ts";
import { SERVICE } from "./database.ts";
import { errors } from "./errors.ts";
import { checkObjectName } from "./names.ts";
import { bucketOf, nameOf, type Routes, type Service, sessionOf } from "./service.ts";
import { object, readQuery, text } from "./shapes.ts";
import { findBucket, type ObjectRow } from "./tables.ts";
import type { Caller, Grant } from "./tokens.ts";
import { commit, fileMetadata, type Target, tryToWrite } from "./write.ts";

/** How long a signed upload URL is good; two hours on the platform. */
const UPLOAD_GRANT_S = 7200;

export const uploadRoutes: Routes = (app, service) => {
  app.post("/object/upload/sign/:bucket/:name{.*}", async (c) => {
    const caller = await service.tokens.caller(c.req.header("authorization"));
    const [bucket, name] = [bucketOf(c), nameOf(c)];
    const upsert = c.req.header("x-upsert") === "true";
    await tryToWrite(sessionOf(c, service), caller, { bucket, name, owner: caller.owner, upsert }, {
      ...optional("mimetype", c.req.header("content-type")),
      ...optional("contentLength", declaredSize(c)),
    });
    const url = `${bucket}/${name}`;
    const grant: Omit<Grant, "exp"> = { url, upsert, scope: "upload", ...optional("owner", caller.owner) };
    const token = await service.tokens.grant(grant, UPLOAD_GRANT_S);
    return c.json({ url: `/object/upload/sign/${url}?token=${token}`, token });
  });

  app.put("/object/upload/sign/:bucket/:name{.*}", async (c) => {
    const { token } = readQuery<{ token: string }>(c, object({ token: text }, ["token"]));
    const [bucket, name] = [bucketOf(c), nameOf(c)];
    const { owner, upsert } = await service.tokens.granted(token, "upload", `${bucket}/${name}`);
    const row = await store(c, service, SERVICE, { bucket, name, owner, upsert: upsert === true });
    return c.json({ Key: `${bucket}/${row.name}` });
  });

  app.post("/object/:bucket/:name{.*}", (c) => upload(c, c.req.header("x-upsert") === "true"));
  app.put("/object/:bucket/:name{.*}", (c) => upload(c, true));

  async function upload(c: Context, upsert: boolean): Promise<Response> {
    const caller = await service.tokens.caller(c.req.header("authorization"));
    const [bucket, name] = [bucketOf(c), nameOf(c)];
    const row = await store(c, service, caller, { bucket, name, owner: caller.owner, upsert });
    return c.json({ Key: `${bucket}/${row.name}`, Id: row.id });
  }
};

/** Takes a request's bytes in. A signed URL has settled who may: then the caller is the service itself. */
async function store(c: Context, service: Service, caller: Caller, target: Target): Promise<ObjectRow> {
  const session = sessionOf(c, service);
  const { bucket, name, owner } = target;
  const settings = await session.asService((sql) => findBucket(sql, bucket));
  if (!settings) throw errors.noSuchBucket();
  const limit = Math.min(Number(settings.file_size_limit ?? Infinity), service.fileSizeLimit);
  const content = await contentOf(c, limit, settings.allowed_mime_types);
  checkObjectName(name);
  await tryToWrite(session, caller, target, {
    mimetype: content.type,
    ...optional("contentLength", content.declaredSize),
  }, content.userMetadata);

  const version = crypto.randomUUID();
  const facts = await service.files.write({ bucket, name, version }, content.body);
  const metadata = fileMetadata(facts, content.type, content.cacheControl);
  const userMetadata = content.userMetadata ?? {};
  return await commit(session, service, { bucket, name, version, owner, metadata, userMetadata });
}
