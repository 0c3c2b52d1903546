create operator public.<# (leftarg = integer, rightarg = integer, function = int4lt, commutator = operator(public.>#));
