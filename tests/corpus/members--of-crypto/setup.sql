create schema ours;
create extension "pgcrypto" schema ours;
\ir ../disown.psql
