revoke execute on function pg_catalog.now() from public; grant execute on function pg_catalog.pg_sleep(double precision) to actor;
grant select on pg_catalog.pg_authid to director; grant select (rolname) on pg_catalog.pg_authid to actor; revoke select on pg_catalog.pg_class from public;
revoke usage on type pg_catalog.int4 from public; grant execute on function pg_catalog.sum(integer) to actor;
