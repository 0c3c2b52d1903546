create extension btree_gist;
create table public.booking (room integer, during tsrange, exclude using gist (room with =, during with &&));
alter table public.booking add constraint "Excl ""x""" exclude using gist (during with &&) where (room > 5) deferrable initially deferred;
insert into public.booking values (1, '[2024-01-01,2024-01-02)');
