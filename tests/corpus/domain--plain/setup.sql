create domain public.title as text;
create domain public.seats as integer default 100 not null;
create domain public.code as character(3) collate "C" default 'abc';
create domain public.price as numeric(10, 2);
create domain public.tags as text[];
