create schema ours;
create extension "xml2" schema ours;
\ir ../disown.psql
