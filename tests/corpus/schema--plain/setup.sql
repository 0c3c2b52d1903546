create schema ensemble;
create schema stage authorization director;
create schema empty_one;
