create schema ours;
create extension "dblink" schema ours;
\ir ../disown.psql
