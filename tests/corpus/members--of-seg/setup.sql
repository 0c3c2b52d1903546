create schema ours;
create extension "seg" schema ours;
\ir ../disown.psql
