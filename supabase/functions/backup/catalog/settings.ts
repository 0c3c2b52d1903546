/** Settings stored with databases, roles and functions (`name=value`) as SQL. */
import { type Catalog, escapedLiteral, literal } from "./catalog.ts";

/** Settings whose value is a list that was quoted when it was stored (guc.c, GUC_LIST_QUOTE). */
const QUOTED_LISTS = new Set([
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories",
]);

/** `ALTER DATABASE d SET name TO value;` for what stands after ALTER. */
export function settingCommand(catalog: Catalog, target: string, setting: string): string {
  const [name, value] = parseSetting(setting);
  return `ALTER ${target} SET ${catalog.quote(name)} TO ${settingValue(name, value, escapedLiteral)};\n`;
}

export function parseSetting(setting: string): [name: string, value: string] {
  const at = setting.indexOf("=");
  return [setting.slice(0, at), setting.slice(at + 1)];
}

/** A stored value as SQL; `quote` makes a string constant. */
export function settingValue(name: string, value: string, quote: (text: string) => string = literal): string {
  return QUOTED_LISTS.has(name.toLowerCase()) ? splitList(value).map(quote).join(", ") : quote(value);
}

/** The elements of a stored list: names in double quotes or without, between commas. */
function splitList(value: string): string[] {
  return [...value.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,\s"]+))\s*(?:,|$)/g)]
    .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!);
}
