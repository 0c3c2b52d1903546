-- from version: 15
drop schema public;
create schema public;
comment on schema public is 'made anew';
