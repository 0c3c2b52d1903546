create schema ours;
create extension "btree_gin" schema ours;
\ir ../disown.psql
