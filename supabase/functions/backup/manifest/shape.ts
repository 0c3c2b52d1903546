/** Shapes of JSON: a shape takes an unknown value and returns it with a type, or throws what is wrong and where. */

export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** `path` is the value's place, as in `parts[3].sha256`. */
export type Shape<T> = (value: unknown, path: string) => T;

function shape<T>(expected: string, holds: (value: unknown) => boolean): Shape<T> {
  return (value, path) => {
    if (holds(value)) return value as T;
    const shown = value === undefined ? "is missing" : `is ${JSON.stringify(value).slice(0, 80)}`;
    throw new ShapeError(`${path} ${shown}, expected ${expected}`);
  };
}

export const text: Shape<string> = shape("a text", (value) => typeof value === "string");

export const yesOrNo: Shape<boolean> = shape("true or false", (value) => typeof value === "boolean");

/** A count; JavaScript counts exactly up to 2^53. */
export const count: Shape<number> = shape(
  "a number of things",
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
);

export function matching(pattern: RegExp, expected: string): Shape<string> {
  return shape(expected, (value) => typeof value === "string" && pattern.test(value));
}

/** A member that earlier manifests lack. */
export function optional<T>(member: Shape<T>): Shape<T | undefined> {
  return (value, path) => value === undefined ? undefined : member(value, path);
}

export function oneOf<const T extends string | number>(...values: T[]): Shape<T> {
  return shape(
    values.map((value) => JSON.stringify(value)).join(" or "),
    (value) => values.includes(value as T),
  );
}

/** The result has the keys in this order, and no others: members of later versions are left out. */
export function record<T extends object>(members: { [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const isRecord = shape<Record<string, unknown>>(
    "an object",
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  );
  return (value, path) => {
    const given = isRecord(value, path);
    const within = path === "" ? "" : `${path}.`;
    const names = Object.keys(members) as (keyof T & string)[];
    const read = names.map((name) => [name, members[name](given[name], within + name)] as const);
    return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as T;
  };
}

export function list<T>(member: Shape<T>): Shape<T[]> {
  const isList = shape<unknown[]>("a list", Array.isArray);
  return (value, path) => isList(value, path).map((given, index) => member(given, `${path}[${index}]`));
}
