create schema ensemble authorization director;
revoke all on schema ensemble from director;
grant usage on schema ensemble to public;
