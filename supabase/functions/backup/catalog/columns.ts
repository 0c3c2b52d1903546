/** Columns of tables and views, read with their relation: as JSON text until they are written, for there are many. */
import { collationName } from "./types.ts";
import { foreignOptionsSql } from "./options.ts";

/** Number, name, type, not null, and what is rare. */
export type Column = [number: number, name: string, type: string, notNull: boolean, rare: RareColumn | null];

export interface RareColumn {
  /** Only where it is not the type's. */
  collation?: string;
  /** It comes from a parent and is not declared here. */
  inherited?: true;
  generated?: "s" | "v";
  statistics?: number;
  storage?: "p" | "e" | "x" | "m";
  compression?: "p" | "l";
  options?: string;
  foreignOptions?: string;
  default?: { oid: number; expression: string };
  /** What parents' columns of that name have; `generated`: an expression that a child inherits. */
  parent?: { notNull: boolean; default: boolean; generated: boolean };
  /**
   * Since 18 not null is a constraint with a name; here when it is not the name that PostgreSQL gives, or when it has a
   * comment.
   */
  notNullName?: string;
  notNullComment?: string;
  notNullNoInherit?: true;
  /** The constraint is only a parent's. */
  notNullInherited?: true;
  /** Existing rows may violate it: it comes after the data. */
  notNullInvalid?: true;
}

/** The columns in columnsSql()'s text; none where a relation has none, or is not written. */
export function parseColumns(text: string | null): Column[] {
  return text === null ? [] : JSON.parse(text);
}

/** What an SQL expression of columns says of not null. */
interface NotNullSql {
  join: string;
  /** Whether there is more to say than that the column is not null. */
  isRare: string;
  fields: string;
  /** Of a parent's column p. */
  parent: string;
}

const UNNAMED_NOT_NULL: NotNullSql = {
  join: "",
  isRare: "false",
  fields: "",
  parent: "bool_or(p.attnotnull)",
};

/** Since 18. */
const NAMED_NOT_NULL: NotNullSql = {
  join:
    `left join pg_constraint k on k.conrelid = a.attrelid and k.contype = 'n' and k.conkey = array[a.attnum]
    left join pg_description kd on kd.classoid = 'pg_constraint'::regclass and kd.objoid = k.oid and k.convalidated`,
  isRare: `k.conname <> c.relname || '_' || a.attname || '_not_null'
          or k.connoinherit or not k.convalidated or kd.description is not null`,
  fields: `,
          'notNullName', case when k.conname <> c.relname || '_' || a.attname || '_not_null'
            or kd.description is not null then k.conname end,
          'notNullComment', kd.description,
          'notNullNoInherit', case when k.connoinherit then true end,
          'notNullInherited', case when not k.conislocal and exists (
            select from pg_inherits i
            join pg_attribute p on p.attrelid = i.inhparent and p.attname = a.attname
            join pg_constraint pk on pk.conrelid = p.attrelid and pk.contype = 'n' and pk.conkey = array[p.attnum]
            where i.inhrelid = c.oid and pk.convalidated) then true end,
          'notNullInvalid', case when not k.convalidated then true end`,
  parent: "false",
};

/** Since 16 a child's generated column may have an expression of its own. */
const INHERITED_EXPRESSION = "bool_or(p.attgenerated <> '')";
const SAME_EXPRESSION = `coalesce(a.attgenerated <> '' and bool_and(
                (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d
                 where d.adrelid = p.attrelid and d.adnum = p.attnum)
                = (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d
                   where d.adrelid = a.attrelid and d.adnum = a.attnum)) filter (where p.attgenerated <> ''), false)`;

/**
 * Servers from the minor releases of November 2026 on keep a version of the column among its options; it is nobody's
 * setting.
 */
const OPTIONS_SQL =
  "(select string_agg(o.option, ', ' order by o.place) from unnest(a.attoptions) with ordinality as o (option, place) where o.option !~ '^pg_attver=')";

/**
 * The columns of the relation c (with `c.child`: whether it has parents) as the text of a JSON array, an SQL
 * expression.
 */
export function columnsSql(version: number): string {
  const notNull = version >= 180000 ? NAMED_NOT_NULL : UNNAMED_NOT_NULL;
  return `(select json_agg(json_build_array(a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
      case when a.attcollation <> t.typcollation or not a.attislocal or a.attgenerated <> ''
          or coalesce(a.attstattarget, -1) >= 0 or a.attstorage <> t.typstorage or a.attcompression <> ''
          or array_length(a.attoptions, 1) > 1 or a.attoptions[1] !~ '^pg_attver='
          or a.attfdwoptions is not null or a.atthasdef or c.child or ${notNull.isRare}
        then json_strip_nulls(json_build_object(
          'collation', case when a.attcollation <> t.typcollation then ${collationName("a.attcollation")} end,
          'inherited', case when not a.attislocal then true end,
          'generated', nullif(a.attgenerated, ''),
          'statistics', case when a.attstattarget >= 0 then a.attstattarget end,
          'storage', case when a.attstorage <> t.typstorage then a.attstorage end,
          'compression', nullif(a.attcompression, ''),
          'options', ${OPTIONS_SQL},
          'foreignOptions', ${foreignOptionsSql("a.attfdwoptions")},
          'default', case when a.atthasdef then (
            select json_build_object('oid', d.oid::int8, 'expression', pg_get_expr(d.adbin, d.adrelid))
            from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum) end,
          'parent', case when c.child then (
            select json_build_object('notNull', ${notNull.parent},
              'default', bool_or(p.atthasdef and p.attgenerated = ''),
              'generated', ${version >= 160000 ? SAME_EXPRESSION : INHERITED_EXPRESSION})
            from pg_inherits i join pg_attribute p on p.attrelid = i.inhparent
            where i.inhrelid = c.oid and p.attname = a.attname and not p.attisdropped
            having count(*) > 0) end${notNull.fields}
        )) end
      ) order by a.attnum)::text
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    ${notNull.join}
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)`;
}
