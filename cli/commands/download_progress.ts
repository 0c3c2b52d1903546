/** The line of a download. */
import { bytes } from "../terminal/format.ts";
import type { Progress } from "../terminal/progress.ts";

export function onBytes(bar: Progress, doing = ""): (done: number, expected: number) => void {
  return (done, expected) => bar.update(done, expected, `${doing}${bytes(done)} of ${bytes(expected)}`);
}
