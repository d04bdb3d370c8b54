CREATE TABLE never (id integer);
INSERT INTO people (id, name) VALUES (1, 'twice');
