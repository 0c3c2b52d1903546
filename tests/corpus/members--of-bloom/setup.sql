create schema ours;
create extension "bloom" schema ours;
\ir ../disown.psql
