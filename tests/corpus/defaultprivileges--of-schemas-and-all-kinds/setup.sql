create schema "S ""x""";
alter default privileges for role "odd=name/with,{braces} 100%s" in schema "S ""x""" grant select on tables to "o'brien ""the"" \voice" with grant option;
alter default privileges for role actor in schema public revoke execute on functions from public;
alter default privileges for role actor grant execute on routines to "select";
alter default privileges for role actor grant create on schemas to director with grant option;
alter default privileges for role actor revoke usage on types from actor, public;
alter default privileges for role actor grant all on sequences to public;
alter default privileges for role director in schema public grant execute on functions to public;
alter default privileges for role director revoke select on tables from director;
