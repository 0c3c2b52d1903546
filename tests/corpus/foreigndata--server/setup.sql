create foreign data wrapper bare;
create server plain foreign data wrapper bare;
create server "Server ""x""" type 'it''s' version '1''5' foreign data wrapper bare options (host 'no''where', "Port" '5');
create extension postgres_fdw;
create server remote foreign data wrapper postgres_fdw options (host 'nowhere');
comment on server plain is 'plain';
alter server plain owner to director;
grant usage on foreign server "Server ""x""" to actor;
