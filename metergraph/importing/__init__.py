"""What `metergraph import` is made of: rows of a file become events, and batches of the API."""
