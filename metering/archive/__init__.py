"""Archives months of events as files, and restores them."""
