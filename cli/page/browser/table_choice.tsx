/** Chooses tables of a backup. */
import { useState } from "preact/hooks";
import { ask } from "./api.ts";
import { Loading, Problem, Text, useAsked } from "./parts.tsx";
import type { StoredObject } from "./types.ts";
import { number } from "./words.ts";

const MOST = 100;

export function TableChoice({ backup, chosen, onChange }: {
  backup: string;
  chosen: string[];
  onChange: (tables: string[]) => void;
}) {
  const [search, setSearch] = useState("");
  const path = `backups/${encodeURIComponent(backup)}`;
  const { value, error } = useAsked<{ objects: StoredObject[] }>((signal) => ask(path, signal), [path]);
  if (error) return <Problem of={error} />;
  if (!value) return <Loading what="Reading the tables" />;
  const tables = value.objects.filter(({ columns }) => columns !== undefined);
  const found = tables.map(({ schema, name, rows }) => ({ name: `${schema}.${name}`, rows }))
    .filter(({ name }) => chosen.includes(name) || name.toLowerCase().includes(search.toLowerCase()));
  const toggle = (name: string) =>
    onChange(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]);
  return (
    <fieldset class="choice">
      <legend>Tables ({chosen.length === 0 ? "the whole backup" : `${chosen.length} chosen`})</legend>
      <input
        type="search"
        aria-label="Search tables"
        placeholder="Search tables"
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <div class="boxes" role="group" aria-label="Tables" tabIndex={0}>
        {found.slice(0, MOST).map(({ name, rows }) => (
          <label>
            <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />{" "}
            <Text of={name} /> <small>{number(rows)}</small>
          </label>
        ))}
      </div>
      {found.length > MOST && <p class="hint">and {number(found.length - MOST)} more: search for them</p>}
    </fieldset>
  );
}
