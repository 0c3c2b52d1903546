create schema ours;
create extension "tsm_system_rows" schema ours;
\ir ../disown.psql
