-- Who may do what with the schema backup. Its owner may do everything; service_role may read what a person with the
-- service key needs, and call the verbs for people. All other roles cannot even look into the schema. New objects are
-- closed until they are named here. Row level security is on for every table, without policies, so that the API's
-- roles would see nothing even if the schema were exposed.
revoke all on schema backup from public, anon, authenticated, service_role;
revoke all on all tables in schema backup from public, anon, authenticated, service_role;
revoke all on all sequences in schema backup from public, anon, authenticated, service_role;
revoke all on all functions in schema backup from public, anon, authenticated, service_role;

grant usage on schema backup to service_role;
grant select on
    backup.alerts,
    backup.channels,
    backup.contents,
    backup.copies,
    backup.events,
    backup.health,
    backup.log,
    backup.restores,
    backup.settings,
    backup.table_rows
to service_role;
grant execute on function
    backup.cancel,
    backup.cancel_restore,
    backup.configure,
    backup.copy,
    backup.drill,
    backup.examine,
    backup.is_schedule,
    backup.peek,
    backup.pin,
    backup.restore_rows,
    backup.restore_schema,
    backup.restore_table,
    backup.schedule,
    backup.schedule_check,
    backup.schedule_drill,
    backup.start,
    backup.unpin,
    backup.unschedule,
    backup.unschedule_drill,
    backup.version
to service_role;
