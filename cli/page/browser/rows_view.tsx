/** Rows of a table, a page at a time. */
import { useState } from "preact/hooks";
import { ask, query } from "./api.ts";
import { Loading, Problem, Scroll, Text, useAsked } from "./parts.tsx";
import type { Page, StoredObject } from "./types.ts";
import { number } from "./words.ts";

const PAGE = 50;

export function RowsView({ backup, table }: { backup: string; table: StoredObject }) {
  const [offset, setOffset] = useState(0);
  const path = query(`backups/${encodeURIComponent(backup)}/rows`, {
    schema: table.schema ?? "",
    table: table.name,
    offset,
    limit: PAGE,
  });
  const { value, error } = useAsked<Page>((signal) => ask(path, signal), [path]);
  if (error) return <Problem of={error} />;
  if (!value) return <Loading what="Reading rows" />;
  const { rows, columns, more } = value;
  return (
    <>
      <RowTable columns={columns} rows={rows} label={`Rows of ${table.name}`} keyColumns={table.key ?? []} />
      <div class="pager">
        <button type="button" disabled={offset === 0} onClick={() => setOffset(offset - PAGE)}>
          ← Previous
        </button>
        <span role="status">
          {rows.length === 0 ? "no rows" : `rows ${number(offset + 1)} to ${number(offset + rows.length)}`}
          {table.rows !== undefined && ` of ${number(table.rows)}`}
        </span>
        <button type="button" disabled={!more} onClick={() => setOffset(offset + PAGE)}>Next →</button>
      </div>
    </>
  );
}

/** Columns of a key are marked, in the head for a reader and with a weight for an eye. */
function RowTable({ columns, rows, label, keyColumns }: {
  columns: readonly string[];
  rows: readonly (readonly (string | null)[])[];
  label: string;
  keyColumns: readonly string[];
}) {
  return (
    <Scroll label={label}>
      <table class="rows">
        <thead>
          <tr>
            {columns.map((column) => (
              <th>
                <Text of={column} />
                {keyColumns.includes(column) && <small class="key" title="primary key">key</small>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              {row.map((value) => (
                <td>
                  <Value of={value} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Longer values are opened by a click. */
const LONGEST = 200;

export function Value({ of }: { of: string | null }) {
  const [whole, setWhole] = useState(false);
  if (of === null) return <i class="null">null</i>;
  if (of.length <= LONGEST || whole) return <Text of={of} />;
  return (
    <>
      <Text of={of.slice(0, LONGEST)} />{" "}
      <button type="button" class="more" onClick={() => setWhole(true)}>
        … {number(of.length - LONGEST)} more
      </button>
    </>
  );
}
