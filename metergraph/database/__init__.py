"""PostgreSQL: connections, migrations and its clock."""
