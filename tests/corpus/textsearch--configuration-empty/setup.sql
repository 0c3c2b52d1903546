create text search configuration public.nothing (parser = default);
