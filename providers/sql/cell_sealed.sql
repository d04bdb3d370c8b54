-- The last words of the superuser: from here on nobody on this server is one, and nobody can become one.
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;
ALTER ROLE postgres NOLOGIN PASSWORD NULL;
