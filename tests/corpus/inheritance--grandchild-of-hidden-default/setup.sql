create table show (fee int default 1, seats int default 2);
create table concert () inherits (show);
alter table concert alter fee drop default;
create table recital () inherits (concert);
create table gala (fee int) inherits (concert);
create table festival (fee int default 7) inherits (concert, show);
