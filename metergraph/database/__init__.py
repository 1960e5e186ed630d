"""PostgreSQL: connecting, watching connections, migrating, its clock."""
