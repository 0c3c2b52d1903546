revoke usage on schema pg_catalog from public;
grant usage on schema pg_catalog to actor;
