/** Functions and operators in SQL expressions, spelled as pg_dump spells them. */
import { SIGNATURE_SQL } from "./functions.ts";

/**
 * `schema.name(integer, text)` of the function with OID `oid` (pg_dump.c, format_function_signature); null for none.
 */
export function signature(oid: string): string {
  return `(select format('%I.%I(%s)', fn.nspname, p.proname, ${SIGNATURE_SQL})
    from pg_proc p join pg_namespace fn on fn.oid = p.pronamespace where p.oid = ${oid})`;
}

/** `OPERATOR(schema.<)` of the operator with OID `oid`; null for none. */
export function operatorReference(oid: string): string {
  return `(select format('OPERATOR(%I.%s)', rn.nspname, r.oprname)
    from pg_operator r join pg_namespace rn on rn.oid = r.oprnamespace where r.oid = ${oid})`;
}

/** The function's name out of what regprocedure prints (pg_dump.c, convertRegProcReference); null for `-`. */
export function functionName(regprocedure: string): string | null {
  if (regprocedure === "-") return null;
  return regprocedure.match(/^(?:[^"(]|"[^"]*")*/)![0];
}
