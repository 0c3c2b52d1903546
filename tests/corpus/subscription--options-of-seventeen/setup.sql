-- from version: 17
create subscription s connection 'host=nowhere' publication a with (connect = false, failover = true);
