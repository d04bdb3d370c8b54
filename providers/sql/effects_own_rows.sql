pg_catalog.age(c.xmin) <= 0 AND pg_catalog.pg_xact_status((%(xid)s::pg_catalog.int8
  + (c.xmin::pg_catalog.text::pg_catalog.int8 - %(xid)s::pg_catalog.int8 %% 4294967296 + 4294967296) %% 4294967296
)::pg_catalog.text::pg_catalog.xid8) = 'in progress'
