create operator class public.ops for type integer using btree as operator 3 =, function 1 btint4cmp(integer, integer);
create operator class public.ops for type integer using hash as operator 1 =, function 1 hashint4(integer);
create operator family public.ops using gist; create operator family public.ops using spgist;
create schema a; create operator class a.ops for type bigint using btree as operator 3 =, function 1 btint8cmp(bigint, bigint);
comment on operator class public.ops using hash is 'hash'; comment on operator family public.ops using gist is 'gist';
