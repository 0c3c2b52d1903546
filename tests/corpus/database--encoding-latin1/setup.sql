-- encoding: LATIN1
set client_encoding = 'UTF8';
create table "bühne" ("größe" text);
insert into "bühne" values ('Ärger'), ('naïve café');
comment on table "bühne" is 'ß';
