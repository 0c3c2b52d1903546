create or replace function versioning_private.relation_at_plan_time(table_id integer)
returns regclass
language sql
-- Not true, on purpose: see the comment below.
immutable
set search_path = pg_catalog, pg_temp
as $$
    select versioning._relation(table_id);
$$;

comment on function versioning_private.relation_at_plan_time is
    'Returns where a table was when the calling expression was planned. Trigger functions must not read the catalog '
    'for every statement. Because this function is declared immutable, although it is not, the server calls it once, '
    'when it plans the expression, and keeps the result in the plan as a constant. The constant is the OID of a '
    'table, so the server drops the plan when that table is altered in any way, and calls the function again. '
    'tests/versioning/plan_time_test.ts tries this on each version of the server.';

create or replace function versioning_private.is_current_at_plan_time(table_id integer, layout_id integer)
returns boolean
language plpgsql
-- Not true, on purpose: as above. Valid only in an expression that calls relation_at_plan_time() too.
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    layout versioning.layouts;
begin
    select l.* into layout from versioning.layouts l where l.id = layout_id;
    return versioning._same(layout, versioning._shape(table_id, versioning._relation(table_id)));
end;
$$;

comment on function versioning_private.is_current_at_plan_time is
    'Returns whether a table still had this layout when the calling expression was planned, by the same means as '
    'relation_at_plan_time(), which must stand in the same expression.';
