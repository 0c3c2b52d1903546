/** Writes a line to the function's log, as JSON. */
export function log(message: string, facts: Record<string, unknown> = {}): void {
  console.log(JSON.stringify({ message, ...facts }));
}
