-- from version: 15
create subscription sub connection 'host=nowhere dbname=x password=it''s' publication a, "B ""x""" with (connect = false);
create subscription "Sub ""x""" connection 'host=nowhere' publication a with (connect = false, slot_name = none, binary, streaming, synchronous_commit = 'remote_apply', disable_on_error, two_phase);
create subscription named connection '' publication a with (connect = false, slot_name = 'my_slot');
comment on subscription sub is 'listens';
