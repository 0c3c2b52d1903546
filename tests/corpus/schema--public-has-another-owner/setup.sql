alter schema public owner to director;
