/** Shapes of JSON bodies and of queries, refused in the words that the real server's validator has. */
import type { Context } from "hono";
import { errors } from "./errors.ts";

/** Returns what is wrong with `value`, which stands at `path`; null when nothing is. */
export type Shape = (value: unknown, path: string) => string | null;

export const text: Shape = (value, path) => typeof value === "string" ? null : `${path} must be string`;
export const boolean: Shape = (value, path) => typeof value === "boolean" ? null : `${path} must be boolean`;

export function integer(least: number): Shape {
  return (value, path) => {
    if (!Number.isInteger(value)) return `${path} must be integer`;
    return (value as number) >= least ? null : `${path} must be >= ${least}`;
  };
}

export function oneOf(...values: string[]): Shape {
  return (value, path) =>
    values.includes(value as string) ? null : `${path} must be equal to one of the allowed values`;
}

export function nullable(shape: Shape): Shape {
  return (value, path) => value === null ? null : shape(value, path);
}

export function list(item: Shape, least = 0): Shape {
  return (value, path) => {
    if (!Array.isArray(value)) return `${path} must be array`;
    if (value.length < least) return `${path} must NOT have fewer than ${least} items`;
    return firstOf(value.map((entry, at) => () => item(entry, `${path}/${at}`)));
  };
}

export function object(properties: Record<string, Shape>, required: string[] = []): Shape {
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return `${path} must be object`;
    const found = value as Record<string, unknown>;
    const missing = required.find((name) => found[name] === undefined);
    if (missing !== undefined) return `${path} must have required property '${missing}'`;
    const given = Object.entries(properties).filter(([name]) => found[name] !== undefined);
    return firstOf(given.map(([name, shape]) => () => shape(found[name], `${path}/${name}`)));
  };
}

/** The request's JSON body. Throws InvalidRequest when it is not JSON, or not of `shape`. */
export async function readBody<T>(c: Context, shape: Shape): Promise<T> {
  const isJson = c.req.header("content-type")?.startsWith("application/json") ?? false;
  const source = isJson ? await c.req.text() : null;
  if (source === "") {
    throw errors.unreadableBody("Body cannot be empty when content-type is set to 'application/json'");
  }
  let body: unknown;
  try {
    body = source === null ? null : JSON.parse(source);
  } catch {
    throw errors.unreadableBody("Body is not valid JSON but content-type is set to 'application/json'");
  }
  check(shape, body, "body");
  return body as T;
}

/** The request's query, with the named values as numbers. Throws InvalidRequest when it is not of `shape`. */
export function readQuery<T>(c: Context, shape: Shape, numbers: string[] = []): T {
  const given = Object.entries(c.req.query());
  const query = Object.fromEntries(
    given.map(([name, value]) => [name, numbers.includes(name) ? Number(value) : value]),
  );
  check(shape, query, "querystring");
  return query as T;
}

function check(shape: Shape, value: unknown, path: string): void {
  const wrong = shape(value, path);
  if (wrong !== null) throw errors.invalidRequest(wrong);
}

function firstOf(checks: (() => string | null)[]): string | null {
  for (const run of checks) {
    const wrong = run();
    if (wrong !== null) return wrong;
  }
  return null;
}
