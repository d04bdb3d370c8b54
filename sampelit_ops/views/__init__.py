"""Pages of the whole portal: health, metrics, errors, doctor, connect a database."""
