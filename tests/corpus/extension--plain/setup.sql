create extension hstore;
create extension citext;
create extension pg_trgm;
