"""The way to one file: streams baselined, earlier files applied, then the file, as acts of one operation."""
