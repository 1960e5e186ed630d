"""arq workers: they count events, grant cycle credits and recompute cached usage."""
