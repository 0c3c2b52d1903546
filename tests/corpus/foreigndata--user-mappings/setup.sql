create foreign data wrapper bare;
create server s foreign data wrapper bare;
create server "Server ""x""" foreign data wrapper bare;
create user mapping for public server s options ("user" 'a', password 'it''s');
create user mapping for actor server s;
create user mapping for "select" server "Server ""x""" options (a 'b');
create user mapping for "o'brien ""the"" \voice" server s;
