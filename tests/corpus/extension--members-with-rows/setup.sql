-- not restored: the extension was given tables that its script does not make
create extension hstore;
create schema queues;
create table queues.orders (
    id bigint generated always as identity primary key, doubled bigint generated always as (id * 2) stored, body text not null
);
insert into queues.orders (body) select E'line\t' || n from generate_series(1, 20) n;
create table queues.empty (id int primary key);
create table queues."odd Name" (n int);
insert into queues."odd Name" values (1), (null);
create table public.of_the_user (id int references queues.orders);
alter extension hstore add table queues.orders;
alter extension hstore add table queues.empty;
alter extension hstore add table queues."odd Name";
