create foreign data wrapper bare;
create foreign data wrapper "FDW ""x""" options (a 'it''s', "B b" 'two');
create extension file_fdw;
create foreign data wrapper handled handler file_fdw_handler validator file_fdw_validator;
comment on foreign data wrapper bare is 'bare';
grant usage on foreign data wrapper bare to actor;
alter foreign data wrapper bare owner to postgres;
