create collation public."\! echo
hurt" (lc_collate = 'C', lc_ctype = 'C.UTF-8'); alter collation public."\! echo
hurt" owner to "odd=name/with,{braces} 100%s"; comment on collation public."\! echo
hurt" is 'x';
create table public.t (a text collate public."\! echo
hurt" default ('x' collate public."\! echo
hurt"));
