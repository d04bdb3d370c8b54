"""Pages of this room: the run page, trends, coverage, downloads."""
