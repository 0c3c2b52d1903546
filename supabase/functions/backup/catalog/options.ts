/** Storage parameters and the options of foreign objects as SQL. */
import { type Catalog, literal } from "./catalog.ts";

/**
 * `name=value, …` of pg_class.reloptions; a value stands in quotes unless it would pass for a name (string_utils.c).
 */
export function storageParameters(
  catalog: Catalog,
  options: readonly string[] | null,
  prefix = "",
): string[] {
  return (options ?? []).map((option) => {
    const [, name, value] = option.match(/^([^=]*)=?(.*)$/s)!;
    const text = catalog.quote(value!) === value ? value : literal(value!);
    return `${prefix}${catalog.quote(name!)}=${text}`;
  });
}

/** The options of a foreign object, one a line, as an SQL expression; null when there are none. */
export function foreignOptionsSql(options: string): string {
  return `(select string_agg(quote_ident(option_name) || ' ' || quote_literal(option_value), E',\\n    ' order by option_name)
    from pg_options_to_table(${options}))`;
}
