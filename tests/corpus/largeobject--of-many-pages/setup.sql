select lo_from_bytea(16400, (select string_agg(decode(md5(i::text), 'hex'), '') from generate_series(1, 20000) i));
select lo_create(16401);
select lo_put(16401, 100000, 'after a hole');
do $$ begin for i in 20000..20300 loop perform lo_from_bytea(i, convert_to('object ' || i, 'UTF8')); end loop; end $$;
