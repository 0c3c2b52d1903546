/** Subscriptions (pg_dump.c, getSubscriptions, dumpSubscription): only superusers may read where they connect to. */
import { described } from "./attachments.ts";
import { literal } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { mainEntry, makeObject } from "./object.ts";

interface Row {
  oid: number;
  name: string;
  owner: string;
  /** Null where the role may not read it. */
  connection: string | null;
  publications: string[];
  slot: string | null;
  synchronousCommit: string;
  /** Options as they are written; null for those that have their default. */
  options: (string | null)[];
  origin: string | null;
}

/** `text` where the condition holds, else null. */
function when(condition: string, text: string): string {
  return `case when ${condition} then '${text}' end`;
}

/** Since 18 a subscription streams in parallel where nothing is written. */
function streamingColumn(version: number): string {
  if (version < 160000) return when("s.substream", "streaming = on");
  const off = version >= 180000 ? "else 'streaming = off'" : "";
  return `case s.substream when 't' then 'streaming = on' when 'p' then 'streaming = parallel' ${off} end`;
}

/** Options by the version that brought them, in the order of pg_dump. */
function optionColumns(version: number): string {
  return [
    when("s.subbinary", "binary = true"),
    streamingColumn(version),
    ...(version >= 150000
      ? [
        when("s.subtwophasestate <> 'd'", "two_phase = on"),
        when("s.subdisableonerr", "disable_on_error = true"),
      ]
      : []),
    ...(version >= 160000
      ? [
        when("not s.subpasswordrequired", "password_required = false"),
        when("s.subrunasowner", "run_as_owner = true"),
      ]
      : []),
    ...(version >= 170000 ? [when("s.subfailover", "failover = true")] : []),
  ].join(", ");
}

export const subscriptions: ObjectType<Row> = {
  name: "subscriptions",
  query: (version, superuser) => `
     select s.oid::int8, s.subname as name, pg_get_userbyid(s.subowner) as owner, s.subpublications as publications,
       s.subslotname as slot, s.subsynccommit as "synchronousCommit", array[${
    optionColumns(version)
  }] as options,
       ${version >= 160000 ? "nullif(s.suborigin, 'any')" : "null"} as origin,
       ${superuser ? "s.subconninfo" : "null"} as connection
     from pg_subscription s
     where s.subdbid = (select oid from pg_database where datname = current_database())`,
  read(row, catalog) {
    if (row.connection === null) {
      catalog.warnings.push({
        code: "no_privilege",
        object: `subscription ${row.name}`,
        message: "Subscriptions are dumped by superusers only.",
      });
      return;
    }
    const name = catalog.quote(row.name);
    const options = [
      "connect = false",
      `slot_name = ${row.slot === null ? "NONE" : literal(row.slot)}`,
      ...row.options.filter((option) => option !== null),
      ...(row.synchronousCommit === "off"
        ? []
        : [`synchronous_commit = ${catalog.quote(row.synchronousCommit)}`]),
      ...(row.origin === null ? [] : [`origin = ${row.origin}`]),
    ].join(", ");
    const object = makeObject({
      kind: "subscription",
      classId: CLASS.subscription,
      oid: row.oid,
      name: row.name,
      render: () => [
        mainEntry(object, {
          desc: "SUBSCRIPTION",
          section: "post-data",
          owner: row.owner,
          definition: `CREATE SUBSCRIPTION ${name} CONNECTION ${literal(row.connection!)} PUBLICATION ${
            row.publications.map((publication) => catalog.quote(publication)).join(", ")
          } WITH (${options});\n`,
          drop: `DROP SUBSCRIPTION ${name};\n`,
        }),
        ...described(catalog, object, { type: "SUBSCRIPTION", name, owner: row.owner }),
      ],
    });
    catalog.add(object);
  },
};
