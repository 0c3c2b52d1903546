create function public.dollars() returns text language sql as 'select ''$$ $_$ $_X$''::text';
create function public.quoted() returns text language sql as 'select ''it''''s \ ''::text';
create function public.lines() returns text language plpgsql as $$
declare
	tab text := E'\t';
begin
    -- a comment
    return 'a';

end
$$;
create function public.mixed() returns text language sql as $x$ select '$$', '$_$', '$_X$', 'a'::text; select 'x' $x$;
create function public.meta() returns text language sql as $$ select '
\! echo hurt
\.
\connect nowhere
'::text $$;
create function public.empty() returns void language sql as '';
create function public.ends_in_dollar() returns text language sql as 'select ''a''::text --$';
