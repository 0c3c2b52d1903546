create cast (money as bigint) with inout;
create function public.text_to_json(text) returns json language sql immutable as $$ select to_json($1) $$;
create cast (text as point) with inout as assignment;
