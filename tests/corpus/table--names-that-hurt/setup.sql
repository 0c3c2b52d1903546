create table public."select" ("from" integer, "where" text);
create table public."Upper Case" ("Mixed Case" integer, "ünïcode 字" text, """quoted""" text, "'single'" text, "back\slash" text, "new
line" text, "$$" text, " " text);
create table public."\! echo hurt" ("\." text, "-- c" text);
create table public."x
\! echo line
--" (a integer);
create table public."sixty_three_bytes_long_table_name_abcdefghijklmnopqrstuvwxyz_123" ("sixty_three_bytes_long_column_name_abcdefghijklmnopqrstuvwxyz_1" integer primary key);
create table public."a.b" ("c.d" integer);
insert into public."select" values (1, 'x');
insert into public."Upper Case" values (1, 'a', 'b', 'c', 'd', 'e', 'f', 'g');
insert into public."\! echo hurt" values ('\.', '--');
insert into public."x
\! echo line
--" values (1);
comment on table public."x
\! echo line
--" is '
\! echo comment
';
comment on column public."Upper Case"."new
line" is 'x';
grant select on public."select" to "select";
create index "Index
\! x" on public."Upper Case" ("Mixed Case");
