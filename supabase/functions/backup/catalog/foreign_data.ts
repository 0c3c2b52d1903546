/**
 * Foreign data wrappers, servers, user mappings (pg_dump.c, dumpForeignDataWrapper, dumpForeignServer,
 * dumpUserMappings).
 */
import { described, granted, type Privileges } from "./attachments.ts";
import { literal } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { foreignOptionsSql } from "./options.ts";
import { type Draft, mainEntry, makeObject } from "./object.ts";
import { FIRST_USER_OID, isMember, privileges } from "./selection.ts";

interface Row extends Privileges {
  oid: number;
  name: string;
  owner: string;
  whole: boolean;
  options: string | null;
}

interface WrapperRow extends Row {
  handler: string;
  validator: string;
}

interface ServerRow extends Row {
  wrapper: string;
  type: string | null;
  version: string | null;
  mappings: { user: string; options: string | null; visible: boolean }[];
}

const WRAPPER = { catalog: "pg_foreign_data_wrapper", oid: "f.oid", acl: "f.fdwacl", owner: "f.fdwowner" };
const SERVER = { catalog: "pg_foreign_server", oid: "s.oid", acl: "s.srvacl", owner: "s.srvowner" };

function isWholeHere({ catalog, oid }: { catalog: string; oid: string }): string {
  return `${oid} >= ${FIRST_USER_OID} and not ${isMember(catalog, oid)} as whole`;
}

export const foreignDataWrappers: ObjectType<WrapperRow> = {
  name: "foreign data wrappers",
  query: () => `
     select f.oid::int8, f.fdwname as name, pg_get_userbyid(f.fdwowner) as owner, ${isWholeHere(WRAPPER)},
       ${privileges({ ...WRAPPER, aclKind: "'F'" })}, ${foreignOptionsSql("f.fdwoptions")} as options,
       f.fdwhandler::regproc as handler, f.fdwvalidator::regproc as validator
     from pg_foreign_data_wrapper f`,
  read(row, catalog) {
    const name = catalog.quote(row.name);
    const what = { type: "FOREIGN DATA WRAPPER", name, owner: row.owner };
    const object = makeObject({
      kind: "foreign data wrapper",
      classId: CLASS.foreignDataWrapper,
      oid: row.oid,
      name: row.name,
      render: () => [
        ...(row.whole ? [definition(), ...described(catalog, object, what)] : []),
        ...granted(catalog, object, what, row),
      ],
    });
    catalog.add(object);

    function definition() {
      return mainEntry(object, {
        desc: "FOREIGN DATA WRAPPER",
        owner: row.owner,
        definition: `CREATE FOREIGN DATA WRAPPER ${name}${
          row.handler === "-" ? "" : ` HANDLER ${row.handler}`
        }${row.validator === "-" ? "" : ` VALIDATOR ${row.validator}`}${optionsClause(row.options)};\n`,
        drop: `DROP FOREIGN DATA WRAPPER ${name};\n`,
      });
    }
  },
};

export const foreignServers: ObjectType<ServerRow> = {
  name: "foreign servers",
  // The view hides the options (passwords among them) of others' mappings; `visible` repeats its condition.
  query: () => `
     select s.oid::int8, s.srvname as name, pg_get_userbyid(s.srvowner) as owner, ${isWholeHere(SERVER)},
       ${privileges({ ...SERVER, aclKind: "'S'" })}, ${foreignOptionsSql("s.srvoptions")} as options,
       f.fdwname as wrapper, s.srvtype as type, s.srvversion as version,
       (select coalesce(json_agg(json_build_object(
           'user', m.usename, 'options', ${foreignOptionsSql("m.umoptions")},
           'visible', current_setting('is_superuser') = 'on'
             or m.umuser <> 0 and m.usename = current_user and (pg_has_role(s.srvowner, 'USAGE') or has_server_privilege(s.oid, 'USAGE'))
             or m.umuser = 0 and pg_has_role(s.srvowner, 'USAGE')
         ) order by m.usename), '[]')
        from pg_user_mappings m where m.srvid = s.oid) as mappings
     from pg_foreign_server s join pg_foreign_data_wrapper f on f.oid = s.srvfdw`,
  read(row, catalog) {
    const name = catalog.quote(row.name);
    const object = makeObject({
      kind: "foreign server",
      classId: CLASS.foreignServer,
      oid: row.oid,
      name: row.name,
      render: () => [
        ...(row.whole
          ? [definition(), ...described(catalog, object, { type: "SERVER", name, owner: row.owner })]
          : []),
        ...granted(catalog, object, { type: "FOREIGN SERVER", name, owner: row.owner }, row),
        ...(row.whole ? row.mappings.map(mapping) : []),
      ],
    });
    catalog.add(object);
    for (const { user, visible } of row.whole ? row.mappings : []) {
      if (visible) continue;
      catalog.warnings.push({
        code: "no_privilege",
        object: `user mapping ${user} server ${row.name}`,
        message: "Its options are hidden from this role: the mapping is written without them.",
      });
    }

    function definition() {
      return mainEntry(object, {
        desc: "SERVER",
        owner: row.owner,
        definition: `CREATE SERVER ${name}${row.type ? ` TYPE ${literal(row.type)}` : ""}${
          row.version ? ` VERSION ${literal(row.version)}` : ""
        } FOREIGN DATA WRAPPER ${catalog.quote(row.wrapper)}${optionsClause(row.options)};\n`,
        drop: `DROP SERVER ${name};\n`,
      });
    }

    function mapping({ user, options }: { user: string; options: string | null }): Draft {
      const target = `${catalog.quote(user)} SERVER ${name}`;
      return mainEntry(object, {
        main: false,
        needs: [],
        tableoid: 0,
        oid: 0,
        desc: "USER MAPPING",
        tag: `USER MAPPING ${user} SERVER ${row.name}`,
        owner: row.owner,
        definition: `CREATE USER MAPPING FOR ${target}${optionsClause(options)};\n`,
        drop: `DROP USER MAPPING FOR ${target};\n`,
      });
    }
  },
};

function optionsClause(options: string | null): string {
  return options === null ? "" : ` OPTIONS (\n    ${options}\n)`;
}
