"""The input types of the API, one family a file."""
