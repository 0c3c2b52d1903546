-- from version: 15
create subscription sub connection 'host=nowhere' publication a with (connect = false, streaming = off);
create subscription usual connection 'host=nowhere' publication a with (connect = false);
