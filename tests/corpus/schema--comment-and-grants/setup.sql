create schema ensemble authorization director;
comment on schema ensemble is 'Who is on stage: ''everybody''';
grant usage on schema ensemble to actor;
grant all on schema ensemble to "Stage Manager" with grant option;
