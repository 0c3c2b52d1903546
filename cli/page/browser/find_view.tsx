/** One row in all backups: in which it is, and how it was. */
import { useEffect, useState } from "preact/hooks";
import { instant } from "../../terminal/format.ts";
import { type Failure, follow, query } from "./api.ts";
import { link } from "./links.ts";
import { Chip, Loading, Problem, Text, Title } from "./parts.tsx";
import { Value } from "./rows_view.tsx";
import type { Found, Overview } from "./types.ts";

export function FindView(
  { table, values, overview }: { table: string; values: string[]; overview: Overview },
) {
  const [asked, setAsked] = useState({ table, values: values.join(", ") });
  const submit = (event: Event) => {
    event.preventDefault();
    location.hash = link("find", asked.table, ...splitKey(asked.values));
  };
  return (
    <>
      <Title note="Look a row up by its primary key: which backups have it, and how it was in each.">
        Find a row
      </Title>
      <form class="fields" onSubmit={submit}>
        <label>
          Table
          <input
            required
            placeholder="public.orders"
            value={asked.table}
            onInput={(event) => setAsked({ ...asked, table: event.currentTarget.value })}
          />
        </label>
        <label>
          Primary key
          <input
            required
            placeholder="17, or 17, 2 for two columns"
            value={asked.values}
            onInput={(event) => setAsked({ ...asked, values: event.currentTarget.value })}
          />
        </label>
        <button type="submit" class="main">Find</button>
      </form>
      {table !== "" && values.length > 0 && (
        <Results
          key={`${table} ${values.join("\0")}`}
          table={table}
          values={values}
          backups={overview.backups.value?.length ?? 0}
        />
      )}
    </>
  );
}

/** Values are separated by commas; one with a comma stands in double quotes. */
function splitKey(text: string): string[] {
  return [...text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*?))\s*(?:,|$)/g)]
    .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!)
    .filter((value, index, all) => index < all.length - 1 || value !== "");
}

function Results({ table, values, backups }: { table: string; values: string[]; backups: number }) {
  const [found, setFound] = useState<Found[]>([]);
  const [isOver, setOver] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    follow(
      query("find", { table, key: values }),
      ({ found: one }) => setFound((before) => [one as Found, ...before]),
      {
        signal: leaving.signal,
      },
    ).then(() => setOver(true), (error) => leaving.signal.aborted || setFailure(error));
    return () => leaving.abort();
  }, []);
  if (failure) return <Problem of={failure} />;
  return (
    <section>
      {!isOver && <Loading what={`Looked into ${found.length} of ${backups} backups`} />}
      {isOver && found.every(({ state }) => state === "no table") && (
        <Problem
          of={{ message: `No backup has the table "${table}"`, hint: "Names are schema.table, not quoted." }}
        />
      )}
      <ol class="history">
        {found.map((one, index) => <Version key={one.backup} of={one} before={found[index + 1] ?? null} />)}
      </ol>
    </section>
  );
}

const KINDS = { present: "succeeded", absent: "plain", "no table": "plain", unreadable: "failed" };

function Version(
  { of: { backup, snapshotAt, state, changed, row, columns, detail }, before }: {
    of: Found;
    before: Found | null;
  },
) {
  const isNew = row !== null && before !== null && before.row === null;
  const old = (column: string) => before?.row?.[before.columns.indexOf(column)];
  return (
    <li>
      <h3>
        <a href={link("backups", backup)}>{backup}</a> <Chip kind={KINDS[state]}>{state}</Chip>
        {changed === false && state === "present" && <span class="hint">the same as before</span>}
        {isNew && <span class="hint">new</span>}
      </h3>
      {snapshotAt && <p class="hint">as of {instant(snapshotAt)}</p>}
      {detail && (
        <p>
          <Text of={detail} />
        </p>
      )}
      {row && changed !== false && (
        <dl>
          {columns.map((column, index) => {
            const isChanged = before?.row != null && old(column) !== row[index];
            return (
              <div class={isChanged ? "changed" : ""}>
                <dt>
                  <Text of={column} />
                  {isChanged && <span class="hidden">(changed)</span>}
                </dt>
                <dd>
                  {isChanged && (
                    <>
                      <del>
                        <Value of={old(column) ?? null} />
                      </del>
                      {" "}
                    </>
                  )}
                  <Value of={row[index]!} />
                </dd>
              </div>
            );
          })}
        </dl>
      )}
    </li>
  );
}
