/** Extended statistics (pg_dump.c, dumpStatisticsExt). */
import { described } from "./attachments.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { mainEntry, makeObject } from "./object.ts";
import { isWhole } from "./selection.ts";

interface Row {
  oid: number;
  namespace: string;
  name: string;
  owner: string;
  definition: string;
  /** Null or -1: the default. */
  target: number | null;
}

export const statistics: ObjectType<Row> = {
  name: "statistics",
  query: () => `
     select s.oid::int8, n.nspname as namespace, s.stxname as name, pg_get_userbyid(s.stxowner) as owner,
       pg_get_statisticsobjdef(s.oid) as definition, s.stxstattarget as target
     from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
     where ${isWhole("pg_statistic_ext", "s.oid")}`,
  read(row, catalog) {
    const object = makeObject({
      kind: "statistics",
      classId: CLASS.statistics,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      render: () => {
        const name = catalog.qualified(object);
        const target = row.target !== null && row.target >= 0
          ? `ALTER STATISTICS ${name} SET STATISTICS ${row.target};\n`
          : "";
        return [
          mainEntry(object, {
            desc: "STATISTICS",
            section: "post-data",
            owner: row.owner,
            definition: `${row.definition};\n${target}`,
            drop: `DROP STATISTICS ${name};\n`,
          }),
          ...described(catalog, object, {
            type: "STATISTICS",
            name: catalog.quote(row.name),
            owner: row.owner,
          }),
        ];
      },
    });
    catalog.add(object);
  },
};
