BEGIN;
\echo adding a state
CREATE TYPE state AS ENUM ('new', 'old');
ALTER TABLE people ADD COLUMN state state NOT NULL DEFAULT 'new';
COMMIT;
