create table public."user" ("order" integer, "group" text, "table" text, "end" text, "all" text);
create table public."values" (value integer, name text, "between" text, type text, "authorization" text, "is" text, "left" text, "setof" text);
create view public."default" as select "order" as "limit", "group" as "offset" from public."user";
create sequence public."grant";
create type public."array" as enum ('a');
create function public."case"("when" integer) returns integer language sql as $$ select 1 $$;
