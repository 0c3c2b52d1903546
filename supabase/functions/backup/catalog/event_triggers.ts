/** Event triggers; only superusers make them, and Supabase's own come with extensions or the platform. */
import { described } from "./attachments.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { type CatalogObject, mainEntry, makeObject } from "./object.ts";
import { isMember } from "./selection.ts";

interface Row {
  oid: number;
  name: string;
  owner: string;
  event: string;
  /** Command tags as quoted constants. */
  tags: string | null;
  /** Quoted and qualified. */
  function: string;
  enabled: "O" | "D" | "R" | "A";
}

const STATES = { O: "", D: "DISABLE", R: "ENABLE REPLICA", A: "ENABLE ALWAYS" };

export const eventTriggers: ObjectType<Row> = {
  name: "event triggers",
  query: () => `
    select e.oid::int8, e.evtname as name, pg_get_userbyid(e.evtowner) as owner, e.evtevent as event,
      (select string_agg(quote_literal(t.tag), ', ' order by t.place)
       from unnest(e.evttags) with ordinality as t (tag, place)) as tags,
      e.evtfoid::regproc::text as function, e.evtenabled as enabled
    from pg_event_trigger e
    where not ${isMember("pg_event_trigger", "e.oid")}
    order by e.oid`,
  read(row, catalog) {
    const name = catalog.quote(row.name);
    const object: CatalogObject = makeObject({
      kind: "event trigger",
      classId: CLASS.eventTrigger,
      oid: row.oid,
      name: row.name,
      render: () => [
        mainEntry(object, {
          desc: "EVENT TRIGGER",
          owner: row.owner,
          section: "post-data",
          definition: [
            `CREATE EVENT TRIGGER ${name} ON ${catalog.quote(row.event)}`,
            row.tags === null ? "" : `\n         WHEN TAG IN (${row.tags})`,
            `\n   EXECUTE FUNCTION ${row.function}();\n`,
            row.enabled === "O" ? "" : `\nALTER EVENT TRIGGER ${name} ${STATES[row.enabled]};\n`,
          ].join(""),
          drop: `DROP EVENT TRIGGER ${name};\n`,
        }),
        ...described(catalog, object, { type: "EVENT TRIGGER", name, owner: row.owner }),
      ],
    });
    catalog.add(object);
  },
};
