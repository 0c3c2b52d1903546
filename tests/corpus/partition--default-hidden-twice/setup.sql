-- A partition's partition without the default that its parent has dropped already.
create table t (a int default 1) partition by list (a);
create table p partition of t for values in (1, 2) partition by list (a);
alter table p alter a drop default;
create table p_1 partition of p for values in (1);
alter table p_1 alter a drop default;
