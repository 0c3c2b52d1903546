-- pg_cron starts backups, pg_net calls the function. Their schemas follow the platform's convention: pg_cron in pg_catalog (its objects in the schema
-- cron), pg_net in extensions (its objects in the schema net). A server that does not offer an extension may have the same functions from elsewhere;
-- without them, starting a backup says what is missing.
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
