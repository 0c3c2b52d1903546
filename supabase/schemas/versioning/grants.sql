-- Who may do what with the schema versioning. Its owner may do everything. The roles of the API read histories, as row
-- level security lets them, and call what is listed here; only trigger functions write. The functions whose names begin
-- with `_` are called by the others with the caller's rights. New objects are closed until they are named here.
revoke all on schema versioning, versioning_private from public, anon, authenticated, service_role;
revoke all on all tables in schema versioning from public, anon, authenticated, service_role;
revoke all on all sequences in schema versioning from public, anon, authenticated, service_role;
revoke all on all functions in schema versioning, versioning_private from public, anon, authenticated, service_role;

grant usage on schema versioning to anon, authenticated, service_role;
grant select on
    versioning.history,
    versioning.layouts,
    versioning.records,
    versioning.settings,
    versioning.tables,
    versioning._foreign_functions,
    versioning._key_columns
to anon, authenticated, service_role;
grant select on versioning.sizes to service_role;
grant execute on function
    versioning.as_of,
    versioning.because,
    versioning.diff,
    versioning.restore,
    versioning.rows_as_of,
    versioning.summary,
    versioning.transaction,
    versioning.undo,
    versioning.versions,
    versioning._added,
    versioning._after,
    versioning._base_type,
    versioning._before,
    versioning._begin_restoring,
    versioning._by_key,
    versioning._changed,
    versioning._chosen,
    versioning._end_restoring,
    versioning._filled_list,
    versioning._find,
    versioning._fit,
    versioning._is_editor,
    versioning._is_trusted,
    versioning._json,
    versioning._json_of,
    versioning._json_of_row,
    versioning._key,
    versioning._key_text,
    versioning._key_values,
    versioning._may_select,
    versioning._named,
    versioning._newest_layout,
    versioning._number_of,
    versioning._object,
    versioning._place,
    versioning._present,
    versioning._put_back,
    versioning._readable,
    versioning._record,
    versioning._recorded,
    versioning._relation,
    versioning._require,
    versioning._require_place,
    versioning._require_safe_types,
    versioning._require_shape,
    versioning._require_unpruned,
    versioning._row,
    versioning._same,
    versioning._select_list,
    versioning._shape,
    versioning._short,
    versioning._states,
    versioning._text_of,
    versioning._undo_one,
    versioning._value_of,
    versioning._values,
    versioning._whole,
    versioning._whole_row
to anon, authenticated, service_role;
grant execute on function versioning.configure to service_role;
