-- from version: 16
-- says: CREATE SUBSCRIPTION s CONNECTION 'host=nowhere' PUBLICATION a WITH (connect = false, slot_name = 's', streaming = parallel, password_required = false, run_as_owner = true, origin = none);
create subscription s connection 'host=nowhere' publication a with (connect = false, streaming = parallel, password_required = false, run_as_owner = true, origin = none);
