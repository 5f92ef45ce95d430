"""The way to PostgreSQL: the embedded server, roles and migrations."""
