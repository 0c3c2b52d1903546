/** Two texts side by side, line by line. */
import { diffLines } from "diff";
import { visible } from "../../../supabase/functions/backup/visible_text.ts";
import { Scroll } from "./parts.tsx";

export function SideBySide({ before, after }: { before: string; after: string }) {
  const rows: [left: string | null, right: string | null][] = [];
  const lines = (text: string) => text.replace(/\n$/, "").split("\n");
  const parts = diffLines(`${before}\n`, `${after}\n`);
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]!;
    if (!part.added && !part.removed) lines(part.value).forEach((line) => rows.push([line, line]));
    else {
      const next = parts[index + 1];
      const left = part.removed ? lines(part.value) : [];
      const right = part.added ? lines(part.value) : next?.added ? (index++, lines(next.value)) : [];
      for (let line = 0; line < Math.max(left.length, right.length); line++) {
        rows.push([left[line] ?? null, right[line] ?? null]);
      }
    }
  }
  return (
    <Scroll label="Definitions side by side">
      <table class="sides">
        <thead>
          <tr>
            <th>Before</th>
            <th>After</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([left, right]) => (
            <tr>
              <td class={left === right ? "" : "old"}>{visible(left ?? "")}</td>
              <td class={left === right ? "" : "new"}>{visible(right ?? "")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
