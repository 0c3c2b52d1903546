create table public.t (id serial primary key, b bigserial, c smallserial, "D d" serial);
insert into public.t default values;
select setval('public.t_b_seq', 42, false);
