create operator class public.my_int_ops for type integer using btree as
    operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(integer, integer);
create operator class public.my_hash_ops for type integer using hash as operator 1 =, function 1 hashint4(integer);
create table public.t (a integer);
create index t_a on public.t (a public.my_int_ops);
comment on operator class public.my_int_ops using btree is 'ours';
comment on operator family public.my_int_ops using btree is 'ours too';
alter operator class public.my_int_ops using btree owner to director;
