-- Every large object with the number of its last page; none of one that this role may not read.
SELECT m.oid::bigint, CASE WHEN r.may THEN (SELECT greatest(s.bytes - 1, 0) / %(page)s FROM (
  SELECT fd, lo_lseek64(fd, 0, 2) AS bytes FROM (SELECT lo_open(m.oid, 262144) AS fd OFFSET 0) o OFFSET 0
) s WHERE lo_close(s.fd) = 0) END
FROM pg_largeobject_metadata m CROSS JOIN LATERAL (
  SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) OR pg_has_role(m.lomowner, 'USAGE') OR EXISTS (
    SELECT FROM aclexplode(m.lomacl) e WHERE e.privilege_type = 'SELECT' AND (e.grantee = 0 OR pg_has_role(e.grantee, 'USAGE'))
  ) AS may
) r ORDER BY m.oid
