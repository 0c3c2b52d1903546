-- The one row of settings, with its defaults.
insert into backup.settings default values
on conflict (id) do nothing;

-- Whoever never changed the budgets of 0.1.0 gets those of this version.
update backup.settings
set slice_bytes = default, invocation_bytes = default
where slice_bytes = 32000000 and invocation_bytes = 80000000;
