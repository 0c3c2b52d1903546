create schema ours;
create extension "hstore" schema ours;
\ir ../disown.psql
