/** What changed from one backup to another, or to the database now. */
import { useEffect, useState } from "preact/hooks";
import { visible } from "../../../supabase/functions/backup/visible_text.ts";
import { counted } from "../../terminal/format.ts";
import { type Failure, follow, query } from "./api.ts";
import { link } from "./links.ts";
import { Chip, Code, Loading, Problem, Scroll, Text, Title } from "./parts.tsx";
import { Value } from "./rows_view.tsx";
import { SideBySide } from "./side_by_side.tsx";
import type { DefinitionDifference, Difference, Overview, RowChange, TableDifference } from "./types.ts";
import { number, typeName } from "./words.ts";

export function DifferenceView({ before, after, overview }: {
  before: string | undefined;
  after: string | undefined;
  overview: Overview;
}) {
  const names = overview.backups.value?.filter(({ damage }) => damage === null).map(({ name }) => name) ?? [];
  const [chosen, setChosen] = useState({
    before: before ?? names[1] ?? names[0] ?? "",
    after: after ?? (names.length > 1 ? names[0]! : "now"),
  });
  const submit = (event: Event) => {
    event.preventDefault();
    location.hash = link("compare", chosen.before, chosen.after);
  };
  const options = (withNow: boolean) => [
    ...(withNow && overview.hasDatabase ? [<option value="now">now (the database)</option>] : []),
    ...names.map((name) => <option value={name}>{name}</option>),
  ];
  return (
    <>
      <Title note="Definitions side by side; rows that were added, removed or changed.">Compare</Title>
      <form class="fields" onSubmit={submit}>
        <label>
          From
          <select
            value={chosen.before}
            onChange={(event) => setChosen({ ...chosen, before: event.currentTarget.value })}
          >
            {options(false)}
          </select>
        </label>
        <label>
          To
          <select
            value={chosen.after}
            onChange={(event) => setChosen({ ...chosen, after: event.currentTarget.value })}
          >
            {options(true)}
          </select>
        </label>
        <button type="submit" class="main">Compare</button>
      </form>
      {!overview.hasDatabase && (
        <p class="hint">Start the page with SUPABASE_DB_URL to compare with the database now.</p>
      )}
      {before && after && <Result key={`${before} ${after}`} before={before} after={after} />}
    </>
  );
}

function Result({ before, after }: { before: string; after: string }) {
  const [progress, setProgress] = useState("Reading the tables of contents");
  const [difference, setDifference] = useState<Difference | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    follow(query("difference", { before, after }), (message) => {
      const { difference, progress } = message as {
        difference?: Difference;
        progress?: { name: string; done: number; total: number };
      };
      if (difference) setDifference(difference);
      else if (progress) {
        setProgress(`Comparing table ${progress.done + 1} of ${progress.total}, ${visible(progress.name)}`);
      }
    }, { signal: leaving.signal }).catch((error) => leaving.signal.aborted || setFailure(error));
    return () => leaving.abort();
  }, []);
  if (failure) return <Problem of={failure} />;
  if (difference === null) return <Loading what={progress} />;
  const tables = difference.tables.filter(({ state }) => state !== "same");
  const { definitions } = difference;
  const same = difference.tables.length - tables.length;
  return (
    <>
      <p class="summary" role="status">
        {definitions.length + tables.length === 0
          ? "No differences. "
          : `${counted(definitions.length, "definition")} and ${counted(tables.length, "table")} differ. `}
        {counted(same, "table")} {same === 1 ? "is" : "are"} the same.
      </p>
      {tables.length > 0 && (
        <section>
          <h2>Rows</h2>
          {tables.map((table) => <TableChange key={`${table.schema}.${table.name}`} of={table} />)}
        </section>
      )}
      {definitions.length > 0 && (
        <section>
          <h2>Definitions</h2>
          {definitions.map((one) => <DefinitionChange of={one} />)}
        </section>
      )}
    </>
  );
}

const KINDS = { added: "succeeded", removed: "failed", changed: "warning", unknown: "plain", same: "plain" };

function TableChange({ of: table }: { of: TableDifference }) {
  const { schema, name, state, before, after, added, removed, changed, by, key, detail, samples } = table;
  const counts = [[added, "added"], [removed, "removed"], [changed, "changed"]] as const;
  return (
    <details class="change">
      <summary>
        <Chip kind={KINDS[state]}>{state === "unknown" ? "not compared" : state}</Chip>{" "}
        <b>
          <Text of={`${schema}.${name}`} />
        </b>{" "}
        <small>
          {counts.flatMap(([count, word]) => count ? [`${number(count)} ${word}`] : []).join(", ") ||
            `${before === null ? "?" : number(before)} → ${after === null ? "?" : number(after)} rows`}
        </small>
      </summary>
      <p class="hint">
        {detail !== ""
          ? (
            <>
              Rows were only counted: <Text of={detail} />.
            </>
          )
          : by === "key"
          ? (
            <>
              Rows were matched by their key, <Text of={key!.join(", ")} />.
            </>
          )
          : by === "row"
          ? "The table has no primary key, so whole rows were matched."
          : `The table is only in ${state === "added" ? "the second" : "the first"}.`}
      </p>
      {samples.length > 0 && <Changes table={table} />}
    </details>
  );
}

function Changes({ table }: { table: TableDifference }) {
  const { columns, samples, added, removed, changed } = table;
  const all = [...new Set([...columns.after, ...columns.before])];
  const left = (added ?? 0) + (removed ?? 0) + (changed ?? 0) - samples.length;
  return (
    <>
      <Scroll label={`Changed rows of ${table.name}`}>
        <table class="rows">
          <thead>
            <tr>
              <th>Change</th>
              {all.map((column) => (
                <th>
                  <Text of={column} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{samples.map((sample) => <ChangedRow sample={sample} columns={all} table={table} />)}</tbody>
        </table>
      </Scroll>
      {left > 0 && <p class="hint">and {counted(left, "more row")}</p>}
    </>
  );
}

function ChangedRow({ sample: { before, after }, columns, table }: {
  sample: RowChange;
  columns: string[];
  table: TableDifference;
}) {
  const state = before === null ? "added" : after === null ? "removed" : "changed";
  const values = (row: RowChange["before"], of: string[], column: string) => row?.[of.indexOf(column)];
  return (
    <tr class={state}>
      <td>{state}</td>
      {columns.map((column) => {
        const [old, now] = [
          values(before, table.columns.before, column),
          values(after, table.columns.after, column),
        ];
        if (state === "changed" && old !== now) {
          return (
            <td class="changed">
              {old !== undefined && (
                <del>
                  <Value of={old} />
                </del>
              )} {now !== undefined && (
                <ins>
                  <Value of={now} />
                </ins>
              )}
            </td>
          );
        }
        const value = now === undefined ? old : now;
        return <td>{value === undefined ? "" : <Value of={value} />}</td>;
      })}
    </tr>
  );
}

function DefinitionChange(
  { of: { state, type, schema, name, before, after } }: { of: DefinitionDifference },
) {
  return (
    <details class="change">
      <summary>
        <Chip kind={KINDS[state]}>{state}</Chip> {typeName(type)}{" "}
        <b>
          <Text of={schema === null ? name : `${schema}.${name}`} />
        </b>
      </summary>
      {state === "changed"
        ? <SideBySide before={before!} after={after!} />
        : <Code of={(after ?? before)!} label="Definition" />}
    </details>
  );
}
