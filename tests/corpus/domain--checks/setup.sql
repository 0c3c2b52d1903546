create domain public.seats as integer constraint positive check (value > 0) constraint "not too Many" check (value < 10000);
create domain public.unnamed as text check (value <> '');
comment on constraint positive on domain public.seats is 'nobody sits on a negative chair';
comment on domain public.seats is 'chairs';
