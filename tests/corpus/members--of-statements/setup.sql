create schema ours;
create extension "pg_stat_statements" schema ours;
\ir ../disown.psql
