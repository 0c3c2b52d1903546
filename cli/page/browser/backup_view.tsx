/** Inside a backup: its objects as a tree, the definition of one, the rows of a table. */
import { useMemo, useState } from "preact/hooks";
import { bytes, counted, instant } from "../../terminal/format.ts";
import { ask } from "./api.ts";
import { link } from "./links.ts";
import { Code, Loading, Problem, Text, Title, useAsked } from "./parts.tsx";
import { Warnings } from "./run_view.tsx";
import { RowsView } from "./rows_view.tsx";
import type { Manifest, StoredObject } from "./types.ts";
import { number, typeName } from "./words.ts";

interface Inside {
  name: string;
  manifest: Manifest;
  objects: StoredObject[];
  guide: string | null;
}

export function BackupView({ name, object }: { name: string; object: string | undefined }) {
  const { value, error } = useAsked<Inside>((signal) => ask(`backups/${encodeURIComponent(name)}`, signal), [
    name,
  ]);
  const chosen = value?.objects.find(({ id }) => String(id) === object) ?? null;
  return (
    <>
      <Title note={value && <Note manifest={value.manifest} />}>{name}</Title>
      {error && <Problem of={error} />}
      {!value && !error && <Loading what="Reading the table of contents" />}
      {value && (
        <div class="split">
          <Tree backup={name} objects={value.objects} chosen={chosen} />
          {chosen ? <ObjectView key={chosen.id} backup={name} object={chosen} /> : <About inside={value} />}
        </div>
      )}
    </>
  );
}

function Note({ manifest: { snapshotAt, totals, server, parts } }: { manifest: Manifest }) {
  return (
    <>
      as of {instant(snapshotAt)} · {number(totals.tables)} tables · {number(totals.rows)} rows ·{" "}
      {bytes(totals.storedBytes)} in {number(parts.length)} parts · PostgreSQL <Text of={server.version} />
    </>
  );
}

function About({ inside: { manifest, guide } }: { inside: Inside }) {
  return (
    <div class="pane">
      <p>Choose an object to see its definition, or a table to see its rows.</p>
      {manifest.warnings.length > 0 && <Warnings warnings={manifest.warnings} />}
      {guide && (
        <details>
          <summary>
            RESTORE.md: how to restore it without this program, and which exceptions to expect
          </summary>
          <Code of={guide} label="RESTORE.md" />
        </details>
      )}
    </div>
  );
}

/** More than this many lines are drawn only when they are asked for. */
const MOST_LINES = 300;

interface Group {
  schema: string;
  objects: StoredObject[];
}

function Tree(
  { backup, objects, chosen }: { backup: string; objects: StoredObject[]; chosen: StoredObject | null },
) {
  const [search, setSearch] = useState("");
  const groups = useMemo(() => grouped(objects, search.trim().toLowerCase()), [objects, search]);
  const found = groups.reduce((sum, { objects }) => sum + objects.length, 0);
  return (
    <nav class="tree" aria-label="Objects">
      <label>
        <span class="hidden">Search objects</span>
        <input
          type="search"
          placeholder="Search objects"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      </label>
      <p class="hint" role="status">{number(found)} of {number(objects.length)} objects</p>
      {groups.map(({ schema, objects }) => (
        <Schema
          key={schema}
          isOpen={search !== "" || schema === (chosen?.schema ?? "public") || groups.length === 1}
          {...{ backup, schema, objects, chosen }}
        />
      ))}
    </nav>
  );
}

/** The user's schemas come first. */
const PLATFORM =
  /^(auth|storage|realtime|vault|graphql|graphql_public|extensions|cron|net|pgbouncer|supabase_.*|backup|_.*|)$/;

function grouped(objects: readonly StoredObject[], search: string): Group[] {
  const matching = objects.filter(({ schema, name, type }) =>
    search === "" || `${schema ?? ""}.${name}`.toLowerCase().includes(search) ||
    typeName(type).includes(search)
  );
  const groups = [...Map.groupBy(matching, ({ schema }) => schema ?? "")];
  const rank = (schema: string) => schema === "public" ? 0 : PLATFORM.test(schema) ? 2 : 1;
  return groups.map(([schema, objects]) => ({ schema, objects: inTrees(objects) }))
    .sort((a, b) => rank(a.schema) - rank(b.schema) || a.schema.localeCompare(b.schema));
}

/** Tables come first; what belongs to a table stands below it. */
function inTrees(objects: readonly StoredObject[]): StoredObject[] {
  const children = Map.groupBy(objects, ({ parent }) => parent);
  const ids = new Set(objects.map(({ id }) => id));
  const order = (type: string) => type === "TABLE" ? 0 : /VIEW/.test(type) ? 1 : 2;
  return objects.filter(({ parent }) => parent === null || !ids.has(parent))
    .sort((a, b) =>
      order(a.type) - order(b.type) || a.type.localeCompare(b.type) || a.name.localeCompare(b.name)
    )
    .flatMap((object) => [object, ...children.get(object.id) ?? []]);
}

function Schema({ backup, schema, objects, chosen, isOpen }: {
  backup: string;
  schema: string;
  objects: StoredObject[];
  chosen: StoredObject | null;
  isOpen: boolean;
}) {
  const [all, setAll] = useState(false);
  const [opened, setOpened] = useState(isOpen);
  const isShown = opened || isOpen;
  const shown = all ? objects : objects.slice(0, MOST_LINES);
  return (
    <details open={isShown} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>
        {schema === "" ? "without a schema" : <Text of={schema} />} <small>{number(objects.length)}</small>
      </summary>
      {isShown && (
        <ul>
          {shown.map((object) => (
            <li class={object.parent === null ? "" : "child"}>
              <a
                href={link("backups", backup, object.id)}
                aria-current={object === chosen ? "true" : undefined}
              >
                <span class="of-type">{typeName(object.type)}</span> <Text of={object.name} />
                {object.rows !== undefined && <small>{number(object.rows)}</small>}
              </a>
            </li>
          ))}
        </ul>
      )}
      {isShown && shown.length < objects.length && (
        <button type="button" onClick={() => setAll(true)}>Show all {number(objects.length)}</button>
      )}
    </details>
  );
}

function ObjectView({ backup, object }: { backup: string; object: StoredObject }) {
  const { schema, name, type, owner, rows, bytes: size, columns } = object;
  const path = `backups/${encodeURIComponent(backup)}/definitions/${object.id}`;
  const { value, error } = useAsked<{ definition: string }>((signal) => ask(path, signal), [path]);
  return (
    <div class="pane">
      <h2 class="object">
        <Text of={schema === null ? name : `${schema}.${name}`} />
      </h2>
      <p class="hint facts">
        <span>{typeName(type)}</span>
        {owner && (
          <span>
            owner: <Text of={owner} />
          </span>
        )}
        {rows !== undefined && <span>{counted(rows, "row")}, {bytes(size!)} of text</span>}
        {columns && <a href={link("find", `${schema}.${name}`)}>Find a row in all backups</a>}
        {columns && <a href={link("restore", backup, `${schema}.${name}`)}>Restore</a>}
      </p>
      {columns && <RowsView backup={backup} table={object} />}
      <h3>Definition</h3>
      {error && <Problem of={error} />}
      {value ? <Code of={value.definition} label="Definition" /> : !error && <Loading />}
    </div>
  );
}
