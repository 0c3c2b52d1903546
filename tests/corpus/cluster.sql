-- What cases find in their cluster: roles that own and are granted, and a tablespace.
create role director;
create role actor;
create role "Stage Manager";
create role "select";
create role "o'brien ""the"" \voice";
create tablespace archive_room location '';
create role "odd=name/with,{braces} 100%s";
