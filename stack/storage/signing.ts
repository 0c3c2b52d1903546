/** Routes that make signed URLs for downloads. */
import { errors } from "./errors.ts";
import { checkObjectName } from "./names.ts";
import { bucketOf, nameOf, type Routes, type Service, sessionOf } from "./service.ts";
import { integer, list, object, readBody, text } from "./shapes.ts";
import { findObject } from "./tables.ts";

/** Beyond this a token's end is not a number of milliseconds that JavaScript holds exactly. */
const LONGEST_S = Math.floor(Number.MAX_SAFE_INTEGER / 1000) - 2 ** 33;

const one = object({ expiresIn: integer(1) }, ["expiresIn"]);
const many = object({ expiresIn: integer(1), paths: list(text, 1) }, ["expiresIn", "paths"]);

export const signingRoutes: Routes = (app, service) => {
  app.post("/object/sign/:bucket/:name{.+}", async (c) => {
    const { expiresIn } = await readBody<{ expiresIn: number }>(c, one);
    const caller = await service.tokens.caller(c.req.header("authorization"));
    const [bucket, name] = [bucketOf(c), nameOf(c)];
    checkObjectName(name);
    await sessionOf(c, service).as(caller, (sql) => findObject(sql, bucket, name));
    return c.json({ signedURL: await signedUrl(service, bucket, name, expiresIn) });
  });

  app.post("/object/sign/:bucket", async (c) => {
    const { expiresIn, paths } = await readBody<{ expiresIn: number; paths: string[] }>(c, many);
    const caller = await service.tokens.caller(c.req.header("authorization"));
    const bucket = bucketOf(c);
    const found = await sessionOf(c, service).as(caller, (sql) =>
      sql<{ name: string }[]>`
        select name from storage.objects where bucket_id = ${bucket} and name = any (${paths})`);
    const visible = new Set(found.map(({ name }) => name));
    return c.json(
      await Promise.all(
        paths.map(async (path) =>
          visible.has(path)
            ? { error: null, path, signedURL: await signedUrl(service, bucket, path, expiresIn) }
            : {
              error: "Either the object does not exist or you do not have access to it",
              path,
              signedURL: null,
            }
        ),
      ),
    );
  });
};

async function signedUrl(
  { tokens }: Service,
  bucket: string,
  name: string,
  seconds: number,
): Promise<string> {
  if (seconds > LONGEST_S) throw errors.invalidParameter("expiresIn");
  const url = `${bucket}/${name}`;
  return `/object/sign/${url}?token=${await tokens.grant({ scope: "download", url }, seconds)}`;
}
