"""The analysis as a command that needs no Django: files in, findings and an exit code out."""
