-- The roles that were made for the drill in this database: they alone may connect to it.
SELECT DISTINCT r.rolname::text FROM pg_database d, aclexplode(d.datacl) e JOIN pg_roles r ON r.oid = e.grantee
WHERE d.datname = current_database() AND r.rolname ~ '^drill_(owner|reader)_[0-9a-f]{8}$'
