create schema ours;
create extension "pageinspect" schema ours;
\ir ../disown.psql
