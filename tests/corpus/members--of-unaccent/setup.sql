create schema ours;
create extension "unaccent" schema ours;
\ir ../disown.psql
