alter default privileges grant select on tables to actor;
alter default privileges for role director revoke execute on functions from public;
alter default privileges for role director in schema public grant all on sequences to actor with grant option;
alter default privileges for role director grant usage on types to "select";
alter default privileges for role "o'brien ""the"" \voice" grant usage on schemas to actor;
alter default privileges for role director revoke all on tables from director;
