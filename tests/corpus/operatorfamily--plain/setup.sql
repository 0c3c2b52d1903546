create operator family public.my_family using btree;
alter operator family public.my_family using btree add
    operator 1 < (integer, bigint), operator 3 = (integer, bigint), function 1 (integer, bigint) btint48cmp(integer, bigint);
create operator class public.my_int_ops for type integer using btree family public.my_family as
    operator 1 <, operator 3 =, function 1 btint4cmp(integer, integer);
create operator class public.my_big_ops for type bigint using btree family public.my_family as
    operator 1 <, operator 3 =, function 1 btint8cmp(bigint, bigint);
alter operator family public.my_family using btree owner to director;
comment on operator family public.my_family using btree is 'a family';
