/** The stored backups. */
import { bytes, instant } from "../../terminal/format.ts";
import { link } from "./links.ts";
import { Chip, Problem, Scroll, Text, Title } from "./parts.tsx";
import type { Overview } from "./types.ts";
import { number } from "./words.ts";

export function BackupsView({ overview: { backups } }: { overview: Overview }) {
  return (
    <>
      <Title note="Open one to look at its objects and rows. Nothing is restored.">Backups</Title>
      {backups.error
        ? <Problem of={backups.error} />
        : backups.value.length === 0
        ? <p>There is no backup yet.</p>
        : (
          <Scroll label="Backups">
            <table>
              <thead>
                <tr>
                  <th>Backup</th>
                  <th>As of</th>
                  <th class="number">Tables</th>
                  <th class="number">Rows</th>
                  <th class="number">Stored</th>
                  <th>State</th>
                </tr>
              </thead>
              <tbody>
                {backups.value.map((
                  { name, snapshotAt, totals, storedBytes, damage, wrongParts, encrypted },
                  index,
                ) => (
                  <tr>
                    <td>{damage === null ? <a href={link("backups", name)}>{name}</a> : name}</td>
                    <td>{snapshotAt && instant(snapshotAt)}</td>
                    <td class="number">{number(totals?.tables)}</td>
                    <td class="number">{number(totals?.rows)}</td>
                    <td class="number">{bytes(storedBytes)}</td>
                    <td>
                      {damage !== null || wrongParts > 0
                        ? (
                          <>
                            <Chip kind="failed">damaged</Chip>{" "}
                            <Text of={damage ?? `${wrongParts} parts are missing or wrong`} />
                          </>
                        )
                        : encrypted
                        ? <Chip kind="plain">encrypted</Chip>
                        : null}
                      {index + 1 < backups.value.length && damage === null && (
                        <a href={link("compare", backups.value[index + 1]!.name, name)}>what changed</a>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
    </>
  );
}
