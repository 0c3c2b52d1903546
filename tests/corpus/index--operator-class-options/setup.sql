create extension hstore;
create table public.t (a hstore, b tsvector);
create index on public.t using gist (a gist_hstore_ops (siglen = 32));
create index on public.t using gist (b tsvector_ops (siglen = 100));
create extension bloom;
create table public.u (a integer, b integer);
create index on public.u using bloom (a, b) with (length = 80, col1 = 2);
