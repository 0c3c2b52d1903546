create schema ours;
create extension "ltree" schema ours;
\ir ../disown.psql
