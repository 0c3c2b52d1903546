-- The schema `backup`: what is to be backed up how, what was, and the state of the run under way.
-- It is not among the API's exposed schemas, and nobody but its owner and service_role can look into it.
create schema backup;

comment on schema backup is
    'Backups of this project into its own Storage: settings, the log of runs, and the verbs that start and steer them.';

-- service_role may read the log and call the public verbs; what exactly is granted stands beside each object.
grant usage on schema backup to service_role;
