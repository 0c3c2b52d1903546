create schema other;
create operator family other.my_ops using btree;
create operator class public.my_ops for type integer using btree family other.my_ops as operator 1 <, operator 3 =, function 1 btint4cmp(integer, integer);
