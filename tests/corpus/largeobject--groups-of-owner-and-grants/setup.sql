-- From 17 on those with one owner and the same grants share entries, a thousand at most; groups lie across each other.
select lo_from_bytea(g, convert_to('object ' || g, 'UTF8')) from generate_series(3000, 4100) g;
alter large object 3005 owner to director;
grant select on large object 3006, 3007, 3010 to actor;
grant update on large object 3012, 3013 to "select";
comment on large object 3006 is 'of a group with grants';
comment on large object 3008 is 'of a group without';
