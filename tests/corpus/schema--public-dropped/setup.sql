-- from version: 15
drop schema public;
