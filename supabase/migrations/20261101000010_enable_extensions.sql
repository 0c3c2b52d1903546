-- pg_cron starts backups and watches over them, pg_net calls the function. Where they lie is the platform's custom: pg_cron in pg_catalog (its objects
-- in the schema cron), pg_net in extensions (its objects in the schema net). A server that does not offer an extension may have another with the same
-- functions; one that has neither is told so when a backup is to be started.
do $$
begin
    if exists (select from pg_available_extensions where name = 'pg_cron' and installed_version is null) then
        create extension pg_cron with schema pg_catalog;
    end if;
    if exists (select from pg_available_extensions where name = 'pg_net' and installed_version is null) then
        create schema if not exists extensions;
        create extension pg_net with schema extensions;
    end if;
end;
$$;
