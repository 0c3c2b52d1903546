-- Every file may run twice, but a schema of this name that belongs to somebody else is left alone.
do $$
begin
    -- The owner of the schema could replace our functions.
    if exists (select from pg_namespace n where n.nspname = 'backup' and n.nspowner <> current_user::regrole) then
        raise exception 'Cannot install: the schema "backup" belongs to another role'
            using errcode = 'duplicate_schema', hint = 'Rename it first: alter schema backup rename to another_name';
    end if;
    if to_regnamespace('backup') is not null and to_regclass('backup.settings') is null
        and exists (select from pg_class where relnamespace = to_regnamespace('backup'))
    then
        raise exception 'Cannot install: a schema "backup" with other tables exists'
            using errcode = 'duplicate_schema', hint = 'Rename it first: alter schema backup rename to another_name';
    end if;
end;
$$;

create schema if not exists backup;

comment on schema backup is
    'Backups of this project into its own Storage: settings, the log of runs, and the functions that run them.';
