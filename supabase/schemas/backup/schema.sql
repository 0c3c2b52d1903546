-- The schema `backup`: what is to be backed up how, what was, and the state of the run under way.
-- It is not among the API's exposed schemas, and nobody but its owner and service_role can look into it.
-- Everything may be run twice; but a schema of this name that is somebody else's is not ours to fill.
do $$
begin
    if to_regnamespace('backup') is not null and to_regclass('backup.settings') is null
        and exists (select from pg_class where relnamespace = to_regnamespace('backup'))
    then
        raise exception 'there is a schema "backup" already, with other tables in it'
            using errcode = 'duplicate_schema', hint = 'Rename it first: alter schema backup rename to another_name';
    end if;
end;
$$;

create schema if not exists backup;

comment on schema backup is
    'Backups of this project into its own Storage: settings, the log of runs, and the verbs that start and steer them.';

-- service_role may read the log and call the public verbs; what exactly is granted stands beside each object.
grant usage on schema backup to service_role;
