create transform for integer language plpgsql (to sql with function pg_catalog.int4recv(internal));
create transform for text language sql (from sql with function pg_catalog.array_unnest_support(internal));
comment on transform for integer language plpgsql is 'transforms';
