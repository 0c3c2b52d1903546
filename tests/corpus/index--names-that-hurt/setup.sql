create table public."T ""x""" ("A" integer, "B 'b'" text);
create index "Index ""x"" 'y'" on public."T ""x""" ("A", lower("B 'b'")) where "A" > 1;
create unique index "select" on public."T ""x""" ("B 'b'" desc);
comment on index public."Index ""x"" 'y'" is 'hurts';
