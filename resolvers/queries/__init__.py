"""The fields of Query, one module per family."""
