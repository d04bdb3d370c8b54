"""How dates and numbers are written, by locale (FORMAT_MODULE_PATH)."""
