create schema ours;
create extension "dict_int" schema ours;
\ir ../disown.psql
