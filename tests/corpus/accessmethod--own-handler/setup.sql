create function public.my_handler(internal) returns index_am_handler language internal as 'bthandler';
create access method ours type index handler public.my_handler;
create operator class public.int_ops default for type integer using ours as
    operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(integer, integer);
