create table public.t (a integer, b text) with (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_enabled = false, toast_tuple_target = 200, parallel_workers = 2, autovacuum_vacuum_scale_factor = 0.05);
create table public.u (a text) with (toast.log_autovacuum_min_duration = 5, user_catalog_table = true);
