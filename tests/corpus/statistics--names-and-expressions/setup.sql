create table public."T ""x""" ("A" integer, b text, c jsonb);
create statistics public."\! echo
hurt" (mcv) on "A", b from public."T ""x"""; create statistics public.e on (c ->> 'x'), ("A" % 2), upper(b) from public."T ""x"""; create statistics public.z on "A", b from public."T ""x""";
comment on statistics public."\! echo
hurt" is 'x'; alter statistics public.z set statistics 0; alter statistics public.e owner to "odd=name/with,{braces} 100%s";
