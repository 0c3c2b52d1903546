/** Names in SQL that a restore sends, and in what it tells. */
import type { Entry } from "../entry.ts";

/** Returns the name always quoted: right for any. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function qualified(namespace: string | null, name: string): string {
  return namespace === null || namespace === "" ? quoted(name) : `${quoted(namespace)}.${quoted(name)}`;
}

/** Returns what people call an entry: `FK CONSTRAINT public.orders orders_user_id_fkey`. */
export function labelOf({ desc, namespace, tag }: Entry): string {
  return `${desc} ${namespace ? `${namespace}.` : ""}${tag}`;
}
