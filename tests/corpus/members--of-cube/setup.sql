create schema ours;
create extension "cube" schema ours;
\ir ../disown.psql
