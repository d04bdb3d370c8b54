SELECT current_database(), current_user::text, current_setting('server_version_num')::int, current_setting('server_version'),
       current_setting('statement_timeout'), current_setting('row_security'),
       pg_encoding_to_char((SELECT encoding FROM pg_database WHERE datname = current_database())), clock_timestamp()
