CASE WHEN {value} IS NULL THEN 'null'
     WHEN {value} COLLATE "C" !~ '[^ !#-\[\]-~]' THEN '"' || {value} || '"'
     ELSE '"' || (SELECT string_agg(CASE
              WHEN c = '"' THEN '\"'
              WHEN c = '\' THEN '\\'
              WHEN ascii(c) BETWEEN 32 AND 126 THEN c
              WHEN ascii(c) = 10 THEN '\n'
              WHEN ascii(c) = 13 THEN '\r'
              WHEN ascii(c) = 9 THEN '\t'
              WHEN ascii(c) = 8 THEN '\b'
              WHEN ascii(c) = 12 THEN '\f'
              WHEN ascii(c) <= 65535 THEN '\u' || lpad(to_hex(ascii(c)), 4, '0')
              ELSE '\u' || to_hex(55296 + ((ascii(c) - 65536) >> 10)) || '\u' || to_hex(56320 + ((ascii(c) - 65536) & 1023))
          END, '' ORDER BY i) FROM string_to_table({value}, NULL) WITH ORDINALITY AS letters(c, i)) || '"' END
