create schema a; create schema b;
create table a.t (x integer); create table b.t (x integer);
create view b.v as select t.x, t_1.x as y from a.t, b.t t_1;
create view a."select" as select * from b.v;
