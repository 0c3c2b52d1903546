create schema ours;
create extension "postgres_fdw" schema ours;
\ir ../disown.psql
