create table public.t (a integer, b integer, c integer);
comment on table public.t is E'\\\\ back ''quote'' "double" \\N \\. $$ ; -- /* */ \r\n \t ü字🎭';
comment on column public.t.a is '\! echo hurt';
comment on column public.t.b is ' ';
comment on column public.t.c is E'line one\n\\! echo hurt\n\\.\n';
