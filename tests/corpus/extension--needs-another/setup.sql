create extension cube;
create extension earthdistance;
comment on extension earthdistance is 'how far the audience comes';
