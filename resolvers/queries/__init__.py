"""The fields of Query, one family a file."""
