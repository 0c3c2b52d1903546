create schema ours;
create extension "lo" schema ours;
\ir ../disown.psql
