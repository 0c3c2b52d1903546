create schema ours;
create extension "citext" schema ours;
\ir ../disown.psql
