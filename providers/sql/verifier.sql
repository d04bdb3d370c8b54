-- The product's own check of its chains, as it is defined there: SQL or PL/pgSQL, one uuid in.
SELECT format('%%I.%%I', n.nspname, p.proname), pg_get_functiondef(p.oid)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.proname = 'verify_audit_chain' AND n.nspname = ANY (%(schemas)s) AND l.lanname IN ('sql', 'plpgsql')
  AND p.prokind = 'f' AND p.pronargs - p.pronargdefaults <= 1 AND p.proargtypes[0] = 'uuid'::regtype
ORDER BY 1 LIMIT 1
