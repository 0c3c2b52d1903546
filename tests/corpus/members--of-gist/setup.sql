create schema ours;
create extension "btree_gist" schema ours;
\ir ../disown.psql
