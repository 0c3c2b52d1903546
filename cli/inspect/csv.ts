/** Rows as CSV, as PostgreSQL's COPY reads and writes it (RFC 4180). */

/** Returns a line without its end. Null is an empty field, an empty text is `""`. */
export function csvLine(values: readonly (string | null)[]): string {
  return values.map((value) => {
    if (value === null) return "";
    return value === "" || /[",\r\n]|^\\\.$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  }).join(",");
}
