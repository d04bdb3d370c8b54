\unset ON_ERROR_STOP
DROP TABLE nothing_there;
\set ON_ERROR_STOP 1
CREATE TABLE later (id integer);
