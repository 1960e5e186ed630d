"""Reads events and usage whole, for a warehouse."""
