create schema ours;
create extension "intarray" schema ours;
\ir ../disown.psql
