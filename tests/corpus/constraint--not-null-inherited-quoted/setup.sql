-- from version: 18
create table parent (a integer, b integer, "C d" integer);
create table child (constraint "child's" not null a, not null "C d", f integer) inherits (parent);
comment on constraint "child's" on child is 'quoted';
create table other (constraint plain not null b no inherit) inherits (parent);
