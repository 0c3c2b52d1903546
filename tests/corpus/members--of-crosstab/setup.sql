create schema ours;
create extension "tablefunc" schema ours;
\ir ../disown.psql
