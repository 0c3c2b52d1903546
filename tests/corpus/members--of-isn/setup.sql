create schema ours;
create extension "isn" schema ours;
\ir ../disown.psql
