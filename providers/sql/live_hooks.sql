-- What runs when something happens to a relation: (schema, name, events, what it is, SQL that runs the same).
WITH relations AS (
  SELECT c.oid, n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name, c.relkind, c.relrowsecurity
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
)
SELECT r.schema, r.name, pg_catalog.concat_ws(',', CASE WHEN t.tgtype & 4 > 0 THEN 'insert' END,
    CASE WHEN t.tgtype & 8 > 0 THEN 'delete' END, CASE WHEN t.tgtype & 16 > 0 THEN 'update' END,
    CASE WHEN t.tgtype & 32 > 0 THEN 'truncate' END),
  pg_catalog.format('trigger %s', t.tgname), pg_catalog.pg_get_triggerdef(t.oid)
FROM relations r JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT r.schema, r.name, 'read,insert,update,delete,truncate', pg_catalog.format('rule %s', w.rulename), pg_catalog.pg_get_ruledef(w.oid)
FROM relations r JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT r.schema, r.name, CASE r.relkind WHEN 'v' THEN 'read,insert,update,delete' ELSE 'rebuild' END, 'view', pg_catalog.pg_get_viewdef(r.oid)
FROM relations r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT r.schema, r.name, 'insert,update,rebuild', pg_catalog.format('default of %s', a.attname), 'SELECT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid)
FROM relations r JOIN pg_catalog.pg_attrdef d ON d.adrelid = r.oid JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.adnum
UNION ALL
SELECT r.schema, r.name, 'insert,update,rebuild', pg_catalog.format('check %s', k.conname), 'SELECT ' || pg_catalog.pg_get_expr(k.conbin, k.conrelid)
FROM relations r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid WHERE k.contype = 'c'
UNION ALL
SELECT r.schema, r.name, 'insert,update,rebuild', pg_catalog.format('index %s', ic.relname), 'SELECT ' || pg_catalog.concat_ws(', ',
    pg_catalog.pg_get_expr(i.indexprs, i.indrelid), pg_catalog.pg_get_expr(i.indpred, i.indrelid))
FROM relations r JOIN pg_catalog.pg_index i ON i.indrelid = r.oid JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
UNION ALL
SELECT r.schema, r.name, 'insert,update,rebuild', 'partition key', 'SELECT ' || pg_catalog.pg_get_expr(p.partexprs, p.partrelid)
FROM relations r JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = r.oid WHERE p.partexprs IS NOT NULL
UNION ALL
SELECT r.schema, r.name, 'read,insert,update,delete', pg_catalog.format('policy %s', p.polname), 'SELECT ' || pg_catalog.concat_ws(', ',
    pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
FROM relations r JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
WHERE r.relrowsecurity AND (p.polqual IS NOT NULL OR p.polwithcheck IS NOT NULL)
UNION ALL
SELECT r.schema, r.name, 'insert,update,rebuild', pg_catalog.format('domain %s', t.typname), 'SELECT ' || pg_catalog.pg_get_expr(k.conbin, 0)
FROM relations r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typtype = 'd' JOIN pg_catalog.pg_constraint k ON k.contypid = t.oid AND k.contype = 'c'
UNION ALL
SELECT n.nspname::pg_catalog.text, t.typname::pg_catalog.text, 'cast,insert,update,rebuild', 'domain', 'SELECT ' || pg_catalog.pg_get_expr(k.conbin, 0)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_constraint k ON k.contypid = t.oid AND k.contype = 'c'
WHERE t.typtype = 'd' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
