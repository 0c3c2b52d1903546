create schema "select";
create schema "Upper Case";
create schema "quote "" and ' inside";
create schema "new
line";
create schema "bühne 舞台 🎭";
create schema "sixty_three_bytes_long_schema_name_abcdefghijklmnopqrstuvwxyz_12";
create schema "\! echo meta";
create schema "-- comment";
create schema "/* comment */";
create schema "1";
create schema "a.b";
create schema " ";
create table "quote "" and ' inside"."t
-- x" (a integer);
create table "select"."table" (a integer);
create table "a.b"."c.d" (a integer);
