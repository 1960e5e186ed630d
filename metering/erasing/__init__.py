"""Erases customers: their names at once, the metadata of their events by and by."""
