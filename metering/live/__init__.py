"""Tells workers and subscribers what has changed: hints over Redis, and feeds of changes."""
