/**
 * A `fetch` for supabase-js that does with `/rest/v1/rpc/…` what PostgREST 12 does: checks the token, takes the role
 * and the claims that it names for one transaction, read-only for a function that is not volatile, and issues the same
 * call. Of the query string it knows `select` (columns) and `limit`.
 */
import { jwtVerify } from "jose";
import type postgres from "postgres";

interface Called {
  volatile: boolean;
  scalar: boolean;
  set: boolean;
  names: string[];
  types: string[];
}

/** `sql` is a session of a role that may become anon, authenticated and service_role, as `authenticator` may. */
export function restFetch(sql: postgres.Sql, secret: string): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { headers } = request;
    const url = new URL(request.url);
    const given = await request.text();
    const schema = headers.get("content-profile") ?? "public";
    const [, name] = url.pathname.match(/^\/rest\/v1\/rpc\/(\w+)$/) ?? [];
    try {
      if (!name || request.method !== "POST") {
        throw new Error(`not known here: ${request.method} ${url.pathname}`);
      }
      const token = headers.get("authorization")!.replace("Bearer ", "");
      const { payload } = await jwtVerify(token, new TextEncoder().encode(secret));
      const called = await lookUp(sql, schema, name);
      const body = await sql.begin(`read ${called.volatile ? "write" : "only"}`, async (sql) => {
        await sql`
          select set_config('search_path', ${`"${schema}", "public", "extensions"`}, true),
            set_config('role', ${String(payload.role)}, true),
            set_config('request.jwt.claims', ${JSON.stringify(payload)}, true),
            set_config('request.method', 'POST', true),
            set_config('request.path', ${url.pathname}, true),
            set_config('request.headers', ${JSON.stringify(Object.fromEntries(headers))}, true)`;
        const statement = call(schema, name, called, JSON.parse(given), url.searchParams);
        const [row] = await sql.unsafe(statement, [given]);
        return row!.body as string;
      });
      return new Response(body, { headers: { "content-type": "application/json" } });
    } catch (error) {
      const { code = "", message, detail = null, hint = null } = error as postgres.PostgresError;
      const status = code === "42501" ? 403 : 400;
      return Response.json({ code, message, details: detail, hint }, { status });
    }
  };
}

/** What PostgREST reads from the catalog when it starts. */
async function lookUp(sql: postgres.Sql, schema: string, name: string): Promise<Called> {
  const [found] = await sql<Called[]>`
    select p.provolatile = 'v' as volatile, p.proretset as set,
      t.typtype <> 'c' and t.oid <> 'record'::regtype as scalar,
      coalesce(p.proargnames, '{}') as names,
      array(select format_type(a, null) from unnest(p.proargtypes) a) as types
    from pg_proc p join pg_type t on t.oid = p.prorettype
    where p.pronamespace = ${schema}::regnamespace and p.proname = ${name}`;
  if (!found) throw new Error(`there is no function ${schema}.${name}`);
  return found;
}

function call(
  schema: string,
  name: string,
  { scalar, set, names, types }: Called,
  given: object,
  query: URLSearchParams,
): string {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const args = Object.keys(given);
  const columns = args.map((arg) => `${quote(arg)} ${types[names.indexOf(arg)]}`);
  const values = args.map((arg) => `${quote(arg)} := b.${quote(arg)}`);
  const invoked = `${quote(schema)}.${quote(name)}(${values.join(", ")})`;
  const chosen = query.get("select")?.split(",").map((column) => `c.${quote(column)}`).join(", ") ?? "c.*";
  return `
    with source as (
      select ${scalar ? "c.scalar" : chosen}
      from (select $1::text::json as data) p,
        lateral (select ${args.map(quote).join(", ")} from json_to_record(p.data) as _(${
    columns.join(", ")
  }) limit 1) b,
        lateral ${scalar ? `(select ${invoked} as scalar)` : invoked} c
      limit ${Number(query.get("limit") ?? 1000)}
    )
    select ${
    scalar && !set ? "(json_agg(s.scalar) -> 0)" : `coalesce(json_agg(${scalar ? "s.scalar" : "s"}), '[]')`
  }::text as body
    from source s`;
}
