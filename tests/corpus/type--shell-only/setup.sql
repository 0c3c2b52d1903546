create type public.only_a_shell;
