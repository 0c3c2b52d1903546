create schema ours;
create extension "pg_trgm" schema ours;
\ir ../disown.psql
