/** How code that runs as somebody else is noticed. */

/** The owner of the hostile objects, and another who may write the rows: neither may do anything else. */
export const TENANT = "tenant";
export const VISITOR = "visitor";

/** Made by a superuser, before anything hostile is there. */
export const WITNESSES = `
  create schema witness;
  create table witness.seen (role text, session text, what text, privileged boolean);
  grant usage on schema witness to public;
  grant insert on witness.seen to public;
  create role ${TENANT} login password '${TENANT}';
  create role ${VISITOR} login password '${VISITOR}';
  grant ${TENANT} to postgres;
  grant create on database postgres to ${TENANT};
  alter database postgres set track_functions = 'all';
`;

/**
 * Functions of a schema by which every hostile object tells as whom it runs: witness() writes it down, where it may
 * write, and where it has the right it leaves a file; pure() does the same and may stand in an index.
 */
export function witnessFunctions(schema: string, folder: string): string[] {
  return [
    `create function ${schema}.witness(what pg_catalog.text) returns pg_catalog.bool language plpgsql as $w$
      declare
        who pg_catalog.name := current_user;
        privileged pg_catalog.bool := (
          select rolsuper or pg_catalog.pg_has_role(r.oid, 'pg_execute_server_program', 'usage')
            or pg_catalog.pg_has_role(r.oid, 'pg_write_server_files', 'usage')
          from pg_catalog.pg_roles r where r.rolname operator(pg_catalog.=) current_user
        );
      begin
        begin
          insert into witness.seen values (who, session_user, what, privileged);
        exception when others then null; end;
        begin
          execute pg_catalog.format('copy (select 1) to program %L', pg_catalog.concat('touch ${folder}/', pg_catalog.md5(what)));
        exception when others then null; end;
        if session_user operator(pg_catalog.<>) who then
          begin
            reset role;
            insert into witness.seen values (current_user, session_user, pg_catalog.concat(what, ', after reset role'), false);
            execute pg_catalog.format('set role %I', who);
          exception when others then null; end;
        end if;
        return true;
      end $w$`,
    `create function ${schema}.pure(what pg_catalog.text) returns pg_catalog.bool language plpgsql immutable as
      $w$ begin perform ${schema}.witness(what); return true; end $w$`,
    `create function ${schema}.tell() returns trigger language plpgsql as
      $w$ begin perform ${schema}.witness('trigger'); if tg_op operator(pg_catalog.=) 'DELETE' then return old; end if; return new; end $w$`,
    `grant usage on schema ${schema} to ${VISITOR}, postgres`,
  ];
}
