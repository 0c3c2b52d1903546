select lo_from_bytea(3000, '\x00010203ff');
select lo_from_bytea(3001, '');
select lo_from_bytea(4294967000, 'high number');
comment on large object 3000 is 'sound''s';
alter large object 3000 owner to director;
grant select on large object 3000 to actor;
grant all on large object 3001 to "select" with grant option;
