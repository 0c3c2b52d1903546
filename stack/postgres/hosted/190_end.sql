-- From here on `postgres` is what a project's owner gets.
alter role postgres nosuperuser;
