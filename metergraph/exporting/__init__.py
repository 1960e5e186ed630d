"""`metergraph export`: formats, and files that are whole or not there."""
