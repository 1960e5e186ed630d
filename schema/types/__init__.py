"""The object types of the API, one family a file."""
