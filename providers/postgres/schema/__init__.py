"""What a database consists of, and the DDL that makes it again."""
