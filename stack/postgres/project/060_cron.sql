-- pg_cron itself. On the platform a person switches it on, and then `postgres` has these rights.
create extension pg_cron with schema pg_catalog;

grant usage on schema cron to postgres with grant option;
grant all on all functions in schema cron to postgres with grant option;
grant all on all sequences in schema cron to postgres with grant option;
grant all on cron.job_run_details to postgres with grant option;
revoke trigger on cron.job_run_details from postgres;
-- Jobs are changed through the functions only.
grant select on cron.job to postgres with grant option;
