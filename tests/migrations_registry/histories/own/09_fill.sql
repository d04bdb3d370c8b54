SET lock_timeout = '5s';
UPDATE people SET state = 'old' WHERE id % 2 = 0;
CREATE VIEW old_people AS SELECT id, name FROM people WHERE state = 'old';
