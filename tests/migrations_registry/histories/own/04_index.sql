SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY people_name ON people (name);
