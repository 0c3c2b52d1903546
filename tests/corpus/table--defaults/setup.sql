create function public.f() returns integer language sql as $$ select 1 $$;
create table public.t (
    a text default 'it''s', b text default E'back\\slash\n', c integer default 1 + 2, d timestamptz default now(), e date default current_date,
    f integer default public.f(), g text[] default array['a', 'b'], h jsonb default '{"a": 1}', i text default null, j integer default (-1),
    k interval default '1 day', l text default current_user, m uuid default gen_random_uuid(), n boolean default true, o text collate "C" default 'x' not null
);
